"""A run once more. No torch here."""

from __future__ import annotations

from resnet_demo.comparison import comparison, from_outside, settings_of
from resnet_demo.config import RunConfig
from resnet_demo.errors import SettingError

LAST_SEED = 1_000_000


def repeated(config: RunConfig, *, other_seed: bool) -> RunConfig:
    """The same comparison as a new run: from the same seeds, or from the next ones, which it did not use.

    Raises:
        SettingError: it is no comparison of the lab, or its data are no longer allowed.
        DataError: its folder of data is no longer there, or no data set any more.
    """
    settings = settings_of(config)
    if settings is None:
        raise SettingError("This run is no comparison of the lab: start it again where it was started, on the command line.")
    seed = (settings.seed + settings.seeds) % (LAST_SEED + 1) if other_seed else settings.seed
    return comparison(from_outside(settings.model_copy(update={"seed": seed}).model_dump()), config.title)

"""The settings of a run, to train once more. No torch here."""

from __future__ import annotations

from resnet_demo.comparison import comparison, from_outside, settings_of
from resnet_demo.config import RunConfig
from resnet_demo.errors import SettingError
from resnet_demo.transfer.settings import from_outside as transfer_from_outside
from resnet_demo.transfer.settings import settings_of as transfer_settings_of
from resnet_demo.transfer.settings import transfer_run

LAST_SEED = 1_000_000


def repeat_config(config: RunConfig, *, other_seed: bool) -> RunConfig:
    """The config of a new run of the same comparison, with the same seeds or with the next ones, which the run did not use.

    A transfer is repeated from data that ship only: a folder of pictures is its owner's.

    Raises:
        SettingError: the run is neither a comparison of the lab nor a transfer, or its data are no longer allowed.
        DataError: its folder of data no longer exists, or is no longer a data set.
        WeightsError: there is no such base.
    """
    transfer = transfer_settings_of(config)
    if transfer is not None:
        seed = (transfer.seed + 1) % (LAST_SEED + 1) if other_seed else transfer.seed
        return transfer_run(transfer_from_outside({**transfer.model_dump(), "seed": seed}), config.title)
    settings = settings_of(config)
    if settings is None:
        raise SettingError("This run is no comparison of the lab: start it again where it was started, on the command line.")
    seed = (settings.seed + settings.seeds) % (LAST_SEED + 1) if other_seed else settings.seed
    return comparison(from_outside(settings.model_copy(update={"seed": seed}).model_dump()), config.title)

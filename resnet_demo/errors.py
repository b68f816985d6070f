"""The exceptions a user can meet.

    ResNetDemoError            every message is one clear sentence for the user
    ├── SettingError           a setting or argument is outside what is allowed
    ├── PictureError           a file is not a picture we can read
    ├── DataError              a data set is missing or not usable
    ├── WeightsError           a checkpoint is missing, damaged or does not fit
    │   └── HubError           a download from the Hugging Face Hub failed
    └── RunError               a training run cannot start or continue

Only the edges (the page, the command line) turn them into output.
"""


class ResNetDemoError(Exception):
    """The root: `str(error)` says what went wrong, with which input, and what to do."""


class SettingError(ResNetDemoError, ValueError):
    """A setting or argument is outside what is allowed."""


class PictureError(ResNetDemoError):
    """A file is not a picture that can be read safely."""


class DataError(ResNetDemoError):
    """A data set is missing, empty or malformed."""


class WeightsError(ResNetDemoError):
    """A checkpoint is missing, damaged, or does not fit its architecture."""


class HubError(WeightsError, DataError):
    """A download of weights or data from the Hugging Face Hub failed."""


class RunError(ResNetDemoError):
    """A training run cannot start or continue."""

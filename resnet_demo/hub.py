"""One file from the Hugging Face Hub: from its cache if it is there, else over the network.

Settings are huggingface_hub's own: HF_HUB_CACHE, HF_ENDPOINT, HF_HUB_OFFLINE.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from resnet_demo.errors import HubError


def fetch(repository: str, filename: str, kind: Literal["model", "dataset"] = "model") -> Path:
    """The local path of one file of a repository.

    Raises:
        HubError: the file is neither cached nor to be had; the sentence says which and why.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(repository, filename, repo_type=kind, local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    try:
        return Path(hf_hub_download(repository, filename, repo_type=kind))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise HubError(f"Could not get {filename} of {repository} from the Hugging Face Hub: {error}") from error

"""Publish a model folder on the Hub, so that anyone can load it by its id."""

from __future__ import annotations

from pathlib import Path

from resnet_demo.data import cifar10
from resnet_demo.errors import HubError, WeightsError
from resnet_demo.files import read_text
from resnet_demo.zoo import folder

RECORD = "record.jsonl"
FILES = (folder.CONFIG, folder.WEIGHTS, folder.CARD, RECORD)
DATASETS = {"CIFAR-10": cifar10.REPOSITORY}


def card_with_front_matter(content: folder.ModelFolder, card: str) -> str:
    """The model card with the front matter that the Hub reads; a card that has one is unchanged."""
    if card.startswith("---\n"):
        return card
    lines = ["library_name: resnet-lab", "pipeline_tag: image-classification", f"tags: [resnet, {content.architecture.name}]"]
    if content.licence:
        lines.append(f"license: {content.licence.lower()}")
    lines += [f"datasets: [{identity}]" for name, identity in DATASETS.items() if content.trained_on == name]
    return "\n".join(["---", *lines, "---", "", card])


def publish(source: Path, repository: str, *, private: bool = False) -> str:
    """Upload a model folder: config, weights, card and training record. The model is loaded first, as a check.

    Args:
        source: the model folder.
        repository: `user/name`; created if it does not exist.
        private: visible only to its owner, if this creates the repository.

    Returns:
        The address of the commit.

    Raises:
        WeightsError: the folder holds no working model.
        HubError: the Hub refused or cannot be reached; the message says what to do.
    """
    from huggingface_hub import CommitOperationAdd, HfApi, constants, get_token

    if "/" not in repository:
        raise HubError(f"{repository!r} is not a repository of the Hugging Face Hub: name one as user/name.")
    folder.load(source)
    content = folder.read_config(source)
    try:
        card = read_text(source / folder.CARD)
    except OSError as error:
        raise WeightsError(f"{source} has no model card: write {folder.CARD}, which says how the model was made.") from error
    except UnicodeDecodeError as error:
        raise WeightsError(f"{source / folder.CARD} is not a text file.") from error
    where = constants.ENDPOINT
    if get_token() is None:
        raise HubError(f"Nobody is logged in at {where}: run `hf auth login` with a token that may write, then publish again.")
    operations = [
        CommitOperationAdd(name, card_with_front_matter(content, card).encode() if name == folder.CARD else source / name)
        for name in FILES
        if (source / name).exists()
    ]
    api = HfApi()
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        commit = api.create_commit(
            repository, operations, commit_message=f"{content.architecture.name}, published by ResNet Lab"
        )
    except Exception as error:  # the client wraps what happens in an upload in errors of other kinds
        raise HubError(_sentence(repository, where, error)) from error
    return str(commit.commit_url)


def _sentence(repository: str, where: str, error: Exception) -> str:
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__) is not None:
        chain.append(cause)
    for fault in chain:
        # By name: the client's HTTP library has another one in each major version.
        kinds = {kind.__name__ for kind in type(fault).__mro__}
        if isinstance(fault, HFValidationError):
            return f"{repository!r} is not a repository of the Hugging Face Hub: name one as user/name."
        if isinstance(fault, HfHubHTTPError):
            status = fault.response.status_code
            todo = "log in with a token that may write there" if status in (401, 403) else "try again later"
            return f"The Hugging Face Hub ({where}) answered {status} when {repository} was published: {todo}."
        if "TransportError" in kinds:
            return f"The Hugging Face Hub ({where}) cannot be reached: check the network, then publish again."
    return f"{repository} could not be published at {where}: {type(chain[-1]).__name__}: {chain[-1]}"

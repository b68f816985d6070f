"""Whose run it is: each run of the lab has an id, and a ticket.json beside its record. No torch here."""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from resnet_demo.config import RunConfig
from resnet_demo.errors import SettingError
from resnet_demo.files import write_atomically
from resnet_demo.parsing import Frozen, parse

RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")


def new_run_id() -> str:
    """An id that sorts by time, to the microsecond: 20260131-235959-3f9c01. Its last digit is random."""
    now = datetime.now(timezone.utc)
    return f"{now:%Y%m%d-%H%M%S}-{now.microsecond:05x}{secrets.randbelow(16):x}"


@contextmanager
def new_run(runs: Path, config: RunConfig, visitor: str) -> Iterator[str]:
    """Create the folder of a visitor's new run and yield its id; the folder is removed if the block fails.

    Raises:
        OSError: the folder cannot be written.
    """
    run_id = new_run_id()
    folder = runs / run_id
    try:
        folder.mkdir(parents=True)
        RunOwner.issue(folder, visitor)
        write_atomically(folder / "config.json", config.model_dump_json(indent=1).encode())
        yield run_id
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


class RunOwner(Frozen):
    """A hash of the visitor who started the run (`visitor_name`), the time of the start, and a hash of the visitor's cookie alone."""

    visitor: str
    submitted: str
    identity: str = ""

    @classmethod
    def issue(cls, folder: Path, visitor: str) -> RunOwner:
        """Write the ticket of a new run into its folder."""
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        ticket = cls(visitor=_hash(visitor), submitted=now, identity=identity_hash(visitor))
        write_atomically(folder / "ticket.json", ticket.model_dump_json().encode())
        return ticket

    @classmethod
    def of(cls, folder: Path) -> RunOwner:
        """The owner of a run; a run of the command line has no ticket and belongs to nobody."""
        try:
            return parse(cls, (folder / "ticket.json").read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, SettingError):
            return cls(visitor="", submitted="")

    def belongs_to(self, visitor: str) -> bool:
        """Whether this visitor started the run."""
        return isinstance(visitor, str) and bool(visitor) and secrets.compare_digest(self.visitor, _hash(visitor))


def is_teachers(token: object, teachers_token: str) -> bool:
    """Whether a token from a request is the teacher's."""
    return (
        isinstance(token, str)
        and bool(token)
        and secrets.compare_digest(token.encode(errors="replace"), teachers_token.encode())
    )


def check_owner(folder: Path, visitor: str, token: str | None, teachers_token: str) -> None:
    """Check that a run is this visitor's, or that the token is the teacher's.

    Raises:
        SettingError: it is neither.
    """
    if not is_teachers(token, teachers_token) and not RunOwner.of(folder).belongs_to(visitor):
        raise _no_permission("This is another visitor's run", token)


def check_teacher(token: str | None, teachers_token: str) -> None:
    """Check that the token is the teacher's.

    Raises:
        SettingError: it is not.
    """
    if not is_teachers(token, teachers_token):
        raise _no_permission("Only the teacher may do this", token)


def _no_permission(reason: str, token: str | None) -> SettingError:
    wrong = "This token is not the teacher's" if token else reason
    return SettingError(f"{wrong}: the teacher's token, printed where the app was started, is needed.")


def visitor_name(identity: str, word: str = "") -> str:
    """The name of a visitor: the identity in the cookie, and a word by which a script may tell its own runs apart.

    Raises:
        SettingError: the word is not text.
    """
    if not isinstance(word, str):
        raise SettingError(f"visitor must be text, not {word!r:.40}: any word of your own, or leave it out.")
    return f"{identity}/{word}" if identity and word else identity


def identity_hash(visitor: str) -> str:
    """A hash that is the same for all names of one cookie."""
    return _hash(visitor.partition("/")[0])


def _hash(visitor: str) -> str:
    return hashlib.sha256(visitor.encode(errors="replace")).hexdigest()[:32]

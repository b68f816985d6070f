"""The parser of every value from outside: the page, the command line, a file, the API. No torch here.

A value becomes one of the frozen models of config.py, comparison settings, a model folder's content, … through `parse`,
which refuses what is out of range in one sentence that names the setting.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from resnet_demo.errors import SettingError


class Frozen(BaseModel):
    """A frozen, strict model: no unknown fields, no silent conversions, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


SettingsT = TypeVar("SettingsT", bound=BaseModel)


def parse(kind: type[SettingsT], values: Mapping[str, Any] | str) -> SettingsT:
    """Build `kind` from a mapping or a JSON text.

    Raises:
        SettingError: one sentence that names each refused setting, what is allowed and what was given.
    """
    with _in_sentences(kind):
        return kind.model_validate_json(values) if isinstance(values, str) else kind.model_validate(values)


def parse_link(kind: type[SettingsT], query: Mapping[str, str]) -> SettingsT:
    """Build `kind` from what follows the ? of an address: numbers and switches are words there. Raises as `parse` does."""
    with _in_sentences(kind):
        return kind.model_validate_strings({name: value for name, value in query.items() if name in kind.model_fields})


@contextmanager
def _in_sentences(kind: type[BaseModel]) -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        raise SettingError(" ".join(_sentence(kind, item) for item in error.errors())) from error


def _sentence(kind: type[BaseModel], item: Any) -> str:
    name = ".".join(str(part) for part in item["loc"]) or "settings"
    message = _range(kind, item) or str(item["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    given = "" if item["type"] in {"missing", "value_error"} else f" (given: {str(item['input'])[:60]!r})"
    return f"{name}: {message}{given}."


def _range(kind: type[BaseModel], item: Any) -> str:
    """Both ends of what a number may be, where one of them was passed; the library names only that one."""
    field = kind.model_fields.get(item["loc"][0]) if len(item["loc"]) == 1 else None
    if field is None or not {"ge", "gt", "le", "lt"} & item.get("ctx", {}).keys():
        return ""
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    limits = ((word, getattr(limit, name, None)) for limit in field.metadata for name, word in words.items())
    return "should be " + " and ".join(f"{word} {limit}" for word, limit in limits if limit is not None)


def whole(value: Any) -> Any:
    """A number without a fraction as an int, since JavaScript and Gradio know only floats; anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


JOINERS = "\u200c\u200d"  # within words of Persian and Hindi, and within emoji


def check_class_name(name: str) -> str:
    """The name of a class, which goes to terminals and pages: it is not blank, and holds no invisible characters.

    Refused are the Unicode categories Cc (controls: a terminal obeys them), Cf (formats: they reverse the direction of
    writing, or hide) but for the joiners, Cs (halves of characters), Zl and Zp (ends of lines).

    Raises:
        SettingError: the sentence shows the name with escapes.
    """
    if not name.strip().strip(JOINERS):
        raise SettingError(f"the name of a class is empty ({name[:60]!a})")
    kinds = {unicodedata.category(letter) for letter in name if letter not in JOINERS}
    if kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        raise SettingError(f"the name of a class holds control characters or invisible ones ({name[:60]!a})")
    return name


ClassName = Annotated[str, AfterValidator(check_class_name)]

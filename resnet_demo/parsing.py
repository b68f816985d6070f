"""The parser of every value from outside: the page, the command line, a file, the API. No torch here.

`parse` turns values into a frozen model: the settings of config.py or comparison.py, the content of a model folder, and
so on. It rejects a value that is out of range with one sentence that names the setting.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from resnet_demo.errors import SettingError


class Frozen(BaseModel):
    """A frozen, strict model: no unknown fields, no implicit conversions, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


SettingsT = TypeVar("SettingsT", bound=BaseModel)


def parse(kind: type[SettingsT], values: Mapping[str, Any] | str) -> SettingsT:
    """Build `kind` from a mapping or a JSON text.

    Raises:
        SettingError: a sentence for each invalid setting, with the allowed values and the invalid one.
    """
    with _in_sentences(kind):
        return kind.model_validate_json(values) if isinstance(values, str) else kind.model_validate(values)


def parse_link(kind: type[SettingsT], query: Mapping[str, str]) -> SettingsT:
    """Build `kind` from the query of a URL, in which numbers and switches are strings. Raises as `parse` does."""
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
    value = "" if item["type"] in {"missing", "value_error"} else f" (given: {str(item['input'])[:60]!r})"
    return f"{name}: {message}{value}."


def _range(kind: type[BaseModel], item: Any) -> str:
    """Both limits of a number that exceeds one of them; Pydantic's own message names only that one."""
    field = kind.model_fields.get(item["loc"][0]) if len(item["loc"]) == 1 else None
    if field is None or not {"ge", "gt", "le", "lt"} & item.get("ctx", {}).keys():
        return ""
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    limits = ((word, getattr(limit, name, None)) for limit in field.metadata for name, word in words.items())
    return "should be " + " and ".join(f"{word} {limit}" for word, limit in limits if limit is not None)


def whole(value: Any) -> Any:
    """A whole float as an int, because JavaScript and Gradio have only floats; any other value unchanged."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


JOINERS = "\u200c\u200d"  # part of words in Persian and Hindi, and of emoji


def check_class_name(name: str) -> str:
    """Check the name of a class, which terminals and pages show: it is not blank and has no invisible characters.

    Names must not contain the Unicode categories Cc (control characters, which a terminal executes), Cf (format
    characters, which can reverse or hide text) except the joiners, Cs (surrogates), Zl and Zp (line separators).

    Raises:
        SettingError: the name is not allowed; the message shows it with escapes.
    """
    if not name.strip().strip(JOINERS):
        raise SettingError(f"the name of a class is empty ({name[:60]!a})")
    kinds = {unicodedata.category(letter) for letter in name if letter not in JOINERS}
    if kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        raise SettingError(f"the name of a class holds control characters or invisible ones ({name[:60]!a})")
    return name


ClassName = Annotated[str, AfterValidator(check_class_name)]

"""Numbers and lists as text; the page, the command line and the reports share these formats."""

from __future__ import annotations

from collections.abc import Sequence

SPACE = "\N{NO-BREAK SPACE}"


def share(probability: float) -> str:
    """A probability in percent, never rounded to 0 or 100: '>99.9 %', '73.2 %', '<0.1 %'."""
    if probability > 0.999:
        return ">99.9 %"
    return "<0.1 %" if probability < 0.001 else tenths(probability)


def tenths(fraction: float) -> str:
    """A fraction of one in percent with one decimal: '27.7 %'."""
    return f"{fraction:.1%}".replace("%", " %")


def percent(fraction: float) -> str:
    """A fraction of one in percent: 'under 0.01 %', '0.31 %', '12 %', '100 %'."""
    if fraction < 0.0001:
        return f"under 0.01{SPACE}%"
    digits = 2 if round(100 * fraction, 2) < 10 else 0
    return f"{100 * fraction:.{digits}f}{SPACE}%"


def enumeration(names: Sequence[str]) -> str:
    """One or several names in a sentence: 'cat', 'cat and dog', 'cat, dog and deer'."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def duration(seconds: float) -> str:
    """A duration: '1 second', '50 seconds', '3 minutes', '40 hours'."""
    number, unit = _in_unit(seconds)
    return f"{number} {unit.removesuffix('s') if number == '1' else unit}"


def duration_range(shortest: float, longest: float) -> str:
    """A range of durations: '50 to 75 seconds', '90 seconds to 3 minutes', '15 to 22 hours'."""
    (first, unit), (last, last_unit) = _in_unit(shortest), _in_unit(longest)
    if unit != last_unit:
        return f"{duration(shortest)} to {duration(longest)}"
    return duration(shortest) if first == last else f"{first} to {last} {unit}"


def _in_unit(seconds: float) -> tuple[str, str]:
    """The number and name of the largest unit of which the duration holds at least two."""
    if round(seconds) < 120:
        return f"{seconds:.0f}", "seconds"
    return (f"{seconds / 60:.0f}", "minutes") if seconds < 7200 else (f"{seconds / 3600:,.0f}", "hours")

"""Numbers and names as the report writes them."""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from heft.evaluation.statistics import Estimate
from heft.variants import shortest

SPACE = "\u00a0"  # no-break: a number stays with its unit
MINUS = "\u2212"
EMPTY = "–"


def percent(fraction: float, digits: int = 1) -> str:
    """0.796 -> 79.6 (without the sign, for tables and 'from 79.6 to 88.1 %')."""
    return f"{100 * fraction:.{digits}f}" if isfinite(fraction) else EMPTY


def share(fraction: float) -> str:
    """0.025 -> 2.5 %; 0.3 -> 30 %."""
    return f"{100 * fraction:.4g}{SPACE}%" if isfinite(fraction) else EMPTY


def difference_text(difference: float, digits: int) -> str:
    """A difference with its sign: +8.5, −0.012; 0.0 has none."""
    if not isfinite(difference):
        return EMPTY
    rounded = round(difference, digits)
    return f"{0:.{digits}f}" if rounded == 0 else f"{rounded:+.{digits}f}".replace("-", MINUS)


def points(difference: float) -> str:
    """0.0853 -> +8.5: percentage points, with a sign."""
    return difference_text(100 * difference, 1)


def points_interval(estimate: Estimate) -> str:
    """+7.3 to +9.7, or nothing where there is no interval."""
    return f"{points(estimate.low)} to {points(estimate.high)}" if estimate.has_interval else ""


def decimal(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}" if isfinite(value) else EMPTY


def signed(value: float) -> str:
    """A correlation: 0.83, −0.12."""
    return f"{value:.2f}".replace("-", MINUS) if isfinite(value) else EMPTY


def decimal_interval(estimate: Estimate) -> str:
    """0.912 to 0.934, at most 1, or nothing where there is no interval."""
    return f"{decimal(estimate.low)} to {decimal(min(1.0, estimate.high))}" if estimate.has_interval else ""


def p_text(p_value: float) -> str:
    """p = 0.012, p < 0.001."""
    if not isfinite(p_value):
        return EMPTY
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}" if p_value < 0.995 else "p = 1"


def amount(value: float) -> str:
    """Three significant digits, thousands with a comma: 1,468; 4.3; 0.012."""
    if not isfinite(value):
        return EMPTY
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"


def seed_numbers(numbers: Iterable[int]) -> str:
    """0, 1 and 4."""
    return listed([str(number) for number in sorted(numbers)])


def named_seeds(numbers: Sequence[int]) -> str:
    """seed 3; seeds 0, 1 and 4."""
    return f"seed{'s' if len(numbers) > 1 else ''} {seed_numbers(numbers)}"


def listed(words: Sequence[str]) -> str:
    """a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "none"


def in_sentence(title: str) -> str:
    """A title within a sentence: Test accuracy -> test accuracy; AUROC stays."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def method_title(name: str, methods: Mapping[str, Any]) -> str:
    """The declaration's `title` where it has one, else the registered name."""
    declared = methods.get(name)
    return str(declared.fields.get("title") or name) if declared is not None else name


def qualified(title: str, words: str) -> str:
    """IP, seeds ×5 -> IP (seeds ×5); words in brackets already there are joined: Influence (CG; seeds ×5)."""
    if not words:
        return title
    return f"{title[:-1]}; {words})" if title.endswith(")") else f"{title} ({words})"


def options_in_words(options: Mapping[str, Any]) -> str:
    """damping 0.1, tolerance 1e-05; a switch stands alone: rescale, no rescale."""
    return ", ".join(_option(name.replace("_", " "), options[name]) for name in sorted(options))


def _option(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return name if value else f"no {name}"
    return f"{name} {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, float):
        return shortest(value)
    return "x".join(map(_value, value)) if isinstance(value, list | tuple) else str(value)


def printable(name: str, longest: int = 32) -> str:
    """A name for a figure: on one line, without control characters, cut where it is long."""
    shown = "".join(sign if sign.isprintable() else " " for sign in name)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def is_empty(value: Any) -> bool:
    """Whether a table's cell is empty: None, NaN or an empty string."""
    return value is None or value == "" or (isinstance(value, float) and bool(np.isnan(value)))

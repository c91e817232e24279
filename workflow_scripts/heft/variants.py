"""Names of scorers and variants: the readable slugs that files, runs and tables share."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

NONE = "none"


@dataclass(frozen=True)
class Scorer:
    """A method with its non-default options, alone (`ensemble` empty) or over the members of an ensemble kind."""

    method: str
    options: Mapping[str, Any] = field(default_factory=dict)
    ensemble: str = ""
    ensemble_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """`ip`, `if_cg-damping_0.1__seeds`, `ip__parameter_dropout-p_max_0.1`."""
        name = name_slug(self.method) + _options_slug(self.options)
        kind = f"{name_slug(self.ensemble)}{_options_slug(self.ensemble_options)}"
        return f"{name}__{kind}" if self.ensemble else name

    @property
    def all_options(self) -> dict[str, Any]:
        """Non-default options of the method and of the ensemble, as the comparison table shows them."""
        return {**self.options, **self.ensemble_options}


@dataclass(frozen=True)
class Variant:
    """A scorer at one ensemble size; `members` is 1 for the method alone."""

    scorer: Scorer
    members: int = 1

    @property
    def slug(self) -> str:
        """`ip`, `ip__parameter_dropout__10`."""
        return f"{self.scorer.slug}__{self.members}" if self.scorer.ensemble else self.scorer.slug


def twice(scorers: Iterable[Scorer]) -> str:
    """Says which two have one slug: they are one, or a slug lacks the sign that tells them apart; else empty."""
    seen: dict[str, Scorer] = {}
    for scorer in scorers:
        other = seen.setdefault(scorer.slug, scorer)
        if other is not scorer and other == scorer:
            return f"names {scorer.slug} twice (an option at its default changes nothing)"
        if other is not scorer:
            both = " and ".join(f"{named.method} {dict(named.options) or ''}".strip() for named in (other, scorer))
            return f"has {both}, whose files would both be named {scorer.slug}; rename one, or leave it out"
    return ""


def fraction_slug(fraction: float) -> str:
    """Spells a fraction in every file, key and run: `0.025`; two fractions never share a spelling."""
    return shortest(fraction)


def shortest(value: float) -> str:
    """The fewest significant digits, six or more, that read back as `value`; plain six where nothing does (nan)."""
    spelled = (f"{value:.{digits}g}" for digits in range(6, 18))
    return next((text for text in spelled if float(text) == value), f"{value:.6g}")


def name_slug(name: str) -> str:
    """A registered name as it is; of a person's own `package.module:function` letters and digits, the rest as `-`."""
    return _value_slug(name) if ":" in name else name


def _options_slug(options: Mapping[str, Any]) -> str:
    return "".join(f"-{name}_{_value_slug(options[name])}" for name in sorted(options))


def _value_slug(value: Any) -> str:
    if isinstance(value, float):
        return shortest(value)
    if isinstance(value, list | tuple):
        return "x".join(_value_slug(element) for element in value)
    return re.sub(r"[^A-Za-z0-9.]", "-", str(value))

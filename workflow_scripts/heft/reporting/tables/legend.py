"""The legend of methods, generated from their declarations."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from heft.registry import declarations, find
from heft.reporting.inputs import MethodDeclaration
from heft.reporting.wording import method_title

NEEDS = {
    "final": "final parameters",
    "spaced": "checkpoints of the run",
    "early": "early epochs",
    "validation": "validation data",
    "true_labels": "true labels",
    "dynamics": "what training recorded of each epoch",
}


@dataclass(frozen=True)
class Entry:
    """One method as its file declares it. used: whether this report compares it. details: docstring after line one."""

    name: str
    title: str
    summary: str
    formula: str
    paper: str
    predicts: str
    needs: str
    ensemble: bool
    options: list[tuple[str, str]]
    details: str
    used: bool


def legend(methods: Mapping[str, MethodDeclaration], used: set[str]) -> list[Entry]:
    """Entries by name, those that the report compares first."""
    entries = [_entry(methods[name], methods, name in used) for name in sorted(methods)]
    return sorted(entries, key=lambda entry: not entry.used)


def _entry(declared: MethodDeclaration, methods: Mapping[str, MethodDeclaration], used: bool) -> Entry:
    fields = declared.fields
    needs = fields.get("needs", ())
    needs = (needs,) if isinstance(needs, str) else tuple(needs)
    return Entry(
        name=declared.name,
        title=method_title(declared.name, methods),
        summary=declared.summary,
        formula=str(fields.get("formula", "")),
        paper=str(fields.get("paper", "")),
        predicts=str(fields.get("predicts", "")),
        needs=", ".join(in_words(needs)) or "nothing",
        ensemble=bool(fields.get("ensemble", False)),
        options=[(name, f"{option.default!r}") for name, option in sorted(declared.options.items())],
        details=declared.docstring.partition("\n")[2].strip(),
        used=used,
    )


def in_words(needs: Iterable[str]) -> list[str]:
    """What a method gets for each of its needs."""
    needs = list(needs)
    further = {kind.fields["need"]: kind.fields["gives"] for kind in declarations("auxiliary").values()}
    further |= {need: find("auxiliary", need).fields["gives"] for need in needs if ":" in need}
    return [{**further, **NEEDS}.get(need, need) for need in needs]


@dataclass(frozen=True)
class BaselineEntry:
    """One baseline as its file declares it."""

    name: str
    title: str
    does: str
    paper: str
    trains_on_validation: bool


def baseline_legend(baselines: Mapping[str, MethodDeclaration]) -> list[BaselineEntry]:
    """Entries by name."""
    return [
        BaselineEntry(
            name,
            method_title(name, baselines),
            str(baselines[name].fields.get("does", baselines[name].summary)),
            str(baselines[name].fields.get("paper", "")),
            bool(baselines[name].fields.get("trains_on_validation", False)),
        )
        for name in sorted(baselines)
    ]

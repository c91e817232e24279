"""The check of a model as plain text."""

from collections.abc import Sequence

from heft.checking.finding import Finding
from heft.checking.model_check import ModelCheck


def table(check: ModelCheck) -> str:
    """A few lines on the model, what has to hold, and what can run on it and what cannot."""
    facts = check.facts
    numbers = [
        ("trained", f"{facts['trained']:,} parameters"),
        ("frozen", f"{facts['frozen']:,}"),
        ("no gradient", f"{facts['unreached']:,} of the trained ones"),
        ("one state", f"{facts['state_bytes'] / 1e3:,.1f} kB"),
    ]
    shapes = f"inputs {list(check.spec.input_shape)}, {check.spec.n_classes} classes"
    options = "".join(f", {name} {value}" for name, value in check.spec.options.items())
    parts = [
        [f"model {check.spec.name}{options}: {shapes}"],
        _aligned(numbers),
        _aligned([("holds" if finding.holds else "FAILS", _said(finding)) for finding in check.findings]),
        ["methods:", *_rows(check.methods)],
        ["kinds of ensembles:", *_rows(check.kinds)],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _rows(findings: Sequence[Finding]) -> list[str]:
    return _aligned([(finding.what, "runs" if finding.holds else f"cannot: {finding.reason}") for finding in findings])


def _said(finding: Finding) -> str:
    more = finding.reason or finding.note
    return f"{finding.what}: {more}" if more else finding.what


def _aligned(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(first) for first, _ in rows), default=0)
    return [f"  {first:<{width}}  {second}" for first, second in rows]

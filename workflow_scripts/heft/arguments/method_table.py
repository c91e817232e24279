"""What `heft.methods` returns: each method with what it predicts, what to pass for it, and its options; no torch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from heft.arguments.needs import Argument, arguments_of
from heft.declaration import Declaration
from heft.options import Option
from heft.phrases import allowed_values
from heft.registry import declarations, find


@dataclass(frozen=True, repr=False)
class MethodFacts:
    """A method as its file declares it. arguments: those of `heft.score` that it needs beside model and train."""

    name: str
    title: str
    predicts: str
    formula: str
    paper: str
    cost: str
    ensemble: bool
    needs: tuple[str, ...]
    arguments: tuple[Argument, ...]
    options: Mapping[str, Option]

    @classmethod
    def of(cls, declared: Declaration) -> "MethodFacts":
        """The facts in a method's declaration."""
        said = declared.fields
        return cls(
            name=declared.name,
            title=said.get("title") or declared.name,
            predicts=said["predicts"],
            formula=said["formula"],
            paper=said["paper"],
            cost=said.get("cost", ""),
            ensemble=said["ensemble"],
            needs=said.get("needs", ()),
            arguments=tuple(arguments_of(said.get("needs", ())).values()),
            options=declared.options,
        )

    def __repr__(self) -> str:
        options = [
            f"{name} = {option.default!r}, {allowed_values(option.allowed)}" for name, option in self.options.items()
        ]
        lines = [
            ("predicts", self.predicts),
            ("score", self.formula),
            ("paper", self.paper),
            ("cost", self.cost or "not said"),
            *(("pass", f"{argument.name}: {argument.what}") for argument in self.arguments),
            *(("option", line) for line in options),
            ("ensemble", "yes" if self.ensemble else "no"),
        ]
        return "\n".join([f"{self.name}: {self.title}", *(f"  {label:<9} {text}" for label, text in lines)])


class MethodTable(Mapping[str, MethodFacts]):
    """Methods by name; printed as a table."""

    def __init__(self, rows: Mapping[str, MethodFacts]) -> None:
        self._rows = dict(rows)

    def __getitem__(self, name: str) -> MethodFacts:
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        rows = [("method", "pass beside model and train", "ensemble", "options and their defaults")]
        for method, facts in self._rows.items():
            passed = ", ".join(argument.name for argument in facts.arguments) or "-"
            options = ", ".join(f"{name}={option.default!r}" for name, option in facts.options.items())
            rows.append((method, passed, "yes" if facts.ensemble else "no", options))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        return "\n".join(
            "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]).rstrip()
            for row in rows
        )


def methods(name: str | None = None) -> MethodTable | MethodFacts:
    """All methods, or the one of that name; raises HeftError where there is none."""
    if name is None:
        return MethodTable({key: MethodFacts.of(declared) for key, declared in declarations("methods").items()})
    return MethodFacts.of(find("methods", name))

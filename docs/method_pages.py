"""Writes the README's table of methods and a page for each in docs/methods, from the registry: `make docs`.

With --check, says which of them is not current.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "workflow_scripts"), str(ROOT / "docs")]

from prose import bullet, replaced, table_line  # noqa: E402

from heft.methods.declare import FAMILIES  # noqa: E402
from heft.phrases import allowed_values  # noqa: E402
from heft.registry import Declaration, declarations  # noqa: E402
from heft.reporting.tables.legend import in_words  # noqa: E402

BEGIN, END = "<!-- methods: made by `make docs` -->", "<!-- end of methods -->"
FOLDER = "docs/methods"
FOLLOWS = "Yes: f is the experiment's `objective` on the validation split."
FOLLOWS_NOT = "No: it has the same scores whatever the experiment's `objective` is."


def table() -> str:
    """The table as Markdown: one line for each registered method, by family."""
    lines = ["| method | what its score predicts (low = detrimental) |", "|---|---|"]
    methods = declarations("methods")
    for family, words in FAMILIES.items():
        own = {name: method for name, method in methods.items() if method.fields.get("family", "") == family}
        lines += [table_line(f"**{words}**", "")] if own else []
        lines += [
            table_line(f"[`{name}`]({FOLDER}/{name}.md)", method.fields["predicts"]) for name, method in own.items()
        ]
    return "\n".join(lines)


# longer: a page from top to bottom
def page(method: Declaration) -> str:
    """The page of one method."""
    fields = method.fields
    claim = (
        "**It claims a counterfactual**: at an optimum and with little damping, `s_i / n` is the change of f when the "
        "weight of example i goes from 1 / n to 0. At the default damping it holds up to a factor: n times the change "
        "was 1.2 to 4.8 times the score. Retraining on the mean loss of what remains changes f by "
        "`(s_i - mean s) / (n - 1)`."
        if fields.get("counterfactual")
        else "It claims an order, not a size."
    )
    ensemble = "of every kind" if fields["ensemble"] else "of no kind: it has no model"
    lines = [
        f"# {fields['title']}: `{method.name}`",
        "",
        method.summary[:1].upper() + method.summary[1:],
        "",
        f"    {fields['formula']}",
        "",
        "A score above 0 says that the example helps; **the lowest scores are detrimental**.",
        "",
        "| | |",
        "|---|---|",
        table_line("What it predicts", f"{fields['predicts']} {claim}"),
        table_line("It assumes", fields["assumes"]),
        *([table_line("Derived for SGD", derived(fields["derived_for_sgd"]))] if fields["derived_for_sgd"] else []),
        table_line("It needs", ", ".join(in_words(fields["needs"])) or "nothing"),
        table_line("It follows the objective", FOLLOWS if "validation" in fields["needs"] else FOLLOWS_NOT),
        table_line("Cost, in forward passes over the training set", fields["cost"]),
        table_line("Memory, beyond model and data", fields["memory"]),
        table_line("It fails", fields["fails"]),
        table_line("Ensembles", ensemble),
        table_line("Source", fields["paper"]),
        "",
        "## Options",
        "",
    ]
    if method.options:
        lines += ["| option | default | allowed |", "|---|---|---|"]
        lines += [
            table_line(f"`{name}`", f"`{option.default!r}`", allowed_values(option.allowed))
            for name, option in method.options.items()
        ]
        lines += ["", "In a configuration an option may be a list; each of its values is then a variant.", ""]
        lines += ["```yaml", f"methods: [{method.name}, {{{method.name}: {{{example(method)}}}}}]", "```", ""]
    else:
        lines += ["None.", ""]
    return "\n".join([*lines, method.details, ""])


def derived(assumed: str) -> str:
    """What of a method holds for SGD alone."""
    return f"There {assumed}. If another optimiser trained the model, the method runs, and the report says so."


def example(method: Declaration) -> str:
    """One option with its default, and twice that where it is a number, as YAML."""
    name, option = next(iter(method.options.items()))
    value = option.default
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{name}: {str(value).lower() if isinstance(value, bool) else value}"
    return f"{name}: [{value}, {2 * value or 512}]"


def index() -> str:
    """The list of all pages."""
    lines = ["# Methods", "", "Made by `make docs` from what each method's file declares.", ""]
    for name, method in declarations("methods").items():
        lines.append(bullet(f"[{method.fields['title']}]({name}.md) (`{name}`): {method.summary}"))
    return "\n".join([*lines, ""])


def current() -> dict[Path, str]:
    """Every file that is made here, with what it is to hold."""
    readme = ROOT / "README.md"
    pages = {ROOT / FOLDER / f"{name}.md": page(method) for name, method in declarations("methods").items()}
    made = replaced(readme.read_text(encoding="utf-8"), BEGIN, END, table())
    return {readme: made, ROOT / FOLDER / "README.md": index(), **pages}


def main() -> None:
    """Rewrites the files, or with --check exits with a sentence where one is not current."""
    files = current()
    strangers = set((ROOT / FOLDER).glob("*.md")) - set(files)
    if "--check" in sys.argv:
        stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
        if wrong := sorted({*stale, *strangers}):
            sys.exit(f"{wrong[0].relative_to(ROOT)} is not current; run `make docs`")
        return
    (ROOT / FOLDER).mkdir(exist_ok=True)
    for path in strangers:
        path.unlink()
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

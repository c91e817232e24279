"""Writes the README's table of methods from the registry: `make docs`. With --check, says whether it is current."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from heft.registry import declarations  # noqa: E402

BEGIN, END = "<!-- methods: made by `make docs` -->", "<!-- end of methods -->"


def table() -> str:
    """The table as Markdown: one line per registered method."""
    lines = ["| method | score (low = detrimental) | predicts | ensembles | paper |", "|---|---|---|---|---|"]
    for name, found in declarations("methods").items():
        ensembles = "yes" if found.fields["ensemble"] else "-"
        cells = [
            f"`{name}`",
            f"`{found.fields['formula']}`",
            found.fields["predicts"],
            ensembles,
            found.fields["paper"],
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Rewrites the table in README.md, or with --check exits with a sentence where it is not current."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    current = f"{before}{BEGIN}\n{table()}\n{END}{after}"
    if "--check" in sys.argv:
        sys.exit(current != text and "README.md: the table of methods is not current; run `make docs`")
    readme.write_text(current, encoding="utf-8")


if __name__ == "__main__":
    main()

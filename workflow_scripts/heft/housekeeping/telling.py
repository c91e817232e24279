"""What can go, in lines for a person."""

from collections import Counter
from collections.abc import Iterable, Sequence

from heft.housekeeping.files import Removable
from heft.housekeeping.runs import RemovableRun

MOST_NAMES = 5


def told(
    files: Sequence[Removable], runs: Sequence[RemovableRun], left_alone: Sequence[str], store: str, removed: bool
) -> str:
    """Counts and sizes by what things were made for; one sentence where there is nothing.

    left_alone: files and links that Heft did not make.
    """
    if not files and not runs:
        return "There is nothing to remove."
    lines = ["Removed:" if removed else "`snakemake --cores 1 tidy_now` would remove:"]
    sizes: Counter[str] = Counter()
    for file in files:
        sizes[file.what] += file.size
    if files:
        lines.append("  from results, logs and reports")
        lines += _grouped((file.what for file in files), "file", {what: f", {_size(sizes[what])}" for what in sizes})
    if runs:
        lines.append(f"  from the tracking store {store}")
        lines += _grouped((run.what for run in runs), "run", {})
    if left_alone:
        further = f" and {len(left_alone) - MOST_NAMES} more" if len(left_alone) > MOST_NAMES else ""
        lines.append(f"  left alone, since no rule writes them: {', '.join(left_alone[:MOST_NAMES])}{further}")
    return "\n".join(lines)


def _grouped(whats: Iterable[str], unit: str, details: dict[str, str]) -> list[str]:
    counts = Counter(whats)
    return [
        f"    {what}: {count:,} {unit}{'s' if count > 1 else ''}{details.get(what, '')}"
        for what, count in sorted(counts.items())
    ]


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"

"""What can go, in lines for a person."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from heft.workflow.housekeeping.files import Removable
from heft.workflow.housekeeping.makers import may_go
from heft.workflow.housekeeping.runs import FoundRuns, RemovableRun

MOST_NAMES = 5
HOW_TO_AGREE = (
    "  `snakemake --cores 1 tidy_now --config confirm=true` removes all of it, confirm='[name]' that of one\n"
    "  experiment; with its own configuration, `tidy_now` removes what that no longer asks for."
)


def told(
    files: Sequence[Removable],
    runs: FoundRuns,
    left_alone: Sequence[str],
    store: str,
    removed: bool,
    experiments: Collection[str] = (),
) -> str:
    """Counts and sizes by what things were made for; one sentence where there is nothing.

    left_alone: files and links that Heft did not make. experiments: those to whose removal a person has agreed.
    """
    going = [file for file in files if may_go(file, experiments)]
    going_runs = [run for run in runs.removable if may_go(run, experiments)]
    lines = ["There is nothing to remove."]
    if going or going_runs:
        lines = ["Removed:" if removed else "`snakemake --cores 1 tidy_now` would remove:"]
        lines += _of_files(going) + _of_runs(going_runs, store)
        if left_alone:
            further = f" and {len(left_alone) - MOST_NAMES} more" if len(left_alone) > MOST_NAMES else ""
            lines.append(f"  left alone, since no rule writes them: {', '.join(left_alone[:MOST_NAMES])}{further}")
    lines += _of_kept((*files, *runs.removable), experiments)
    if runs.n_without_project:
        number = _counted(runs.n_without_project, "run")
        lines.append(f"Left alone in {store}: {number} that no project claims, made by an older version of Heft.")
    return "\n".join(lines)


def _of_files(files: Sequence[Removable]) -> list[str]:
    sizes: Counter[str] = Counter()
    for file in files:
        sizes[file.what] += file.size
    lines = _grouped((file.what for file in files), "file", {what: f", {_size(sizes[what])}" for what in sizes})
    return ["  from results, logs and reports", *lines] if files else []


def _of_runs(runs: Sequence[RemovableRun], store: str) -> list[str]:
    lines = _grouped((run.what for run in runs), "run", {})
    return [f"  from the tracking store {store}", *lines] if runs else []


def _of_kept(unasked: Iterable[Removable | RemovableRun], experiments: Collection[str]) -> list[str]:
    """What stays until a person agrees, by what it was made for and by whom, and the command that removes it."""
    counts = Counter(
        (thing.what, thing.kept.why, "file" if isinstance(thing, Removable) else "run")
        for thing in unasked
        if thing.kept and not may_go(thing, experiments)
    )
    if not counts:
        return []
    lines = ["Kept, though this configuration does not ask for it, since it did not make it:"]
    for what, why in sorted({(what, why) for what, why, _ in counts}):
        numbers = [_counted(counts[what, why, unit], unit) for unit in ("file", "run") if counts[what, why, unit]]
        lines.append(f"  {what} ({why}): {', '.join(numbers)}")
    return [*lines, HOW_TO_AGREE]


def _grouped(whats: Iterable[str], unit: str, details: dict[str, str]) -> list[str]:
    counts = Counter(whats)
    return [f"    {what}: {_counted(count, unit)}{details.get(what, '')}" for what, count in sorted(counts.items())]


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit}{'s' if count > 1 else ''}"


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"

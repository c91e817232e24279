"""Would a test notice? Draws single-line mutations of what decides a number or a sentence, and tries each.

    python benchmarks/mutations/study.py [--number 60] [--seed 0]

Rooms take turns; in each a line is drawn, and one of its mutations. Each is made in a copy of the project and met by
the tests that reach its line. What survives is judged by a person: equal in meaning, or a hole. Prints each verdict,
and writes all of them to docs/mutations.csv. What was killed there by the same seed is not repeated without --again.
"""

import argparse
import csv
import random
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, fields
from pathlib import Path

from candidates import SWAPPED, Mutation, mutations_of
from trial import ROOT, Copy, Verdict

TABLE = ROOT / "docs" / "mutations.csv"
HEFT = "workflow_scripts/heft"
ROOMS: dict[str, tuple[str, ...]] = {
    "kernels": ("kernels/*.py", "kernels/*/*.py", "objectives/*.py"),
    "methods": ("methods/*.py",),
    "training": ("training/*.py", "training/batched/*.py", "auxiliary/*.py", "seeds.py"),
    "curation": ("curation/*.py", "baselines/*.py"),
    "evaluation": ("evaluation/rows.py", "evaluation/metrics/*.py", "scoring/members.py", "scoring/aggregate.py",
                   "ensembles/*.py", "workflow/results/*.py"),
    "statistics": ("evaluation/statistics.py",),
    "data": ("data/*.py",),
    "delivery": tuple(f"workflow/tracking/{name}.py" for name in ("delivery", "run_delivery", "delivered")),
    "fingerprint": ("workflow/planning/fingerprint.py",),
    "sentences": ("reporting/text/*.py", "reporting/wording.py",
                  *(f"reporting/analysis/{name}.py" for name in ("outcome", "comparison", "other_trainings"))),
}  # fmt: skip
COLUMNS = ("seed", *(field.name for field in fields(Mutation)), *(field.name for field in fields(Verdict)))


def mutations_by_line(patterns: tuple[str, ...]) -> dict[tuple[str, int], list[Mutation]]:
    """All mutations of the files, by file and line."""
    by_line: dict[tuple[str, int], list[Mutation]] = {}
    for pattern in patterns:
        for file in sorted((ROOT / HEFT).glob(pattern)):
            name = file.relative_to(ROOT).as_posix()
            for mutation in mutations_of(name, file.read_text(encoding="utf-8")):
                by_line.setdefault((name, mutation.line), []).append(mutation)
    return by_line


def drawn(number: int, seed: int) -> list[Mutation]:
    """`number` mutations of different lines, the rooms in turns.

    Swapped arguments mostly raise at once, which any test sees: they are taken only where a line has no other mutation.
    """
    generator = random.Random(seed)
    lines = {room: mutations_by_line(patterns) for room, patterns in ROOMS.items()}
    order = {room: generator.sample(sorted(places), len(places)) for room, places in lines.items()}
    chosen: list[Mutation] = []
    while len(chosen) < number and any(order.values()):
        for room in ROOMS:
            if order[room] and len(chosen) < number:
                of_line = lines[room][order[room].pop()]
                sound = [mutation for mutation in of_line if mutation.kind != SWAPPED]
                chosen.append(generator.choice(sound or of_line))
    return chosen


def killed(table: Path, seed: int) -> dict[tuple[str, str, str], Verdict]:
    """What the table holds already of mutations that a test told, by file and both lines; others are tried anew."""
    if not table.exists():
        return {}
    with table.open(encoding="utf-8", newline="") as opened:
        return {
            (row["file"], row["before"], row["after"]): Verdict(row["outcome"], row["test"], int(row["n_tests"]))
            for row in csv.DictReader(opened)
            if int(row["seed"]) == seed and row["outcome"] == "killed"
        }


def main() -> None:
    """Tries the drawn mutations; a run that is stopped goes on where it was."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--number", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="try those anew that were killed, too")
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "heft_mutations")
    asked = parser.parse_args()
    copy, verdicts = Copy(asked.folder), {} if asked.again else killed(asked.table, asked.seed)
    tests = copy.map_tests()
    rows: list[dict[str, object]] = []
    for mutation in drawn(asked.number, asked.seed):
        key = (mutation.file, mutation.before, mutation.after)
        verdict = verdicts.get(key) or copy.judge(mutation, tests)
        rows.append({"seed": asked.seed, **asdict(mutation), **asdict(verdict)})
        print(f"{verdict.outcome}: {mutation.file}:{mutation.line}: {mutation.before}  ->  {mutation.after}"
              f"  {verdict.test}", flush=True)  # fmt: skip
        write(asked.table, rows)
    counted = Counter(str(row["outcome"]) for row in rows)
    print(", ".join(f"{number} {outcome}" for outcome, number in counted.items()), file=sys.stderr)


def write(table: Path, rows: list[dict[str, object]]) -> None:
    """The table, of what was tried so far."""
    with table.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()

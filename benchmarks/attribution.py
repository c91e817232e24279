"""Heft's methods and those of other libraries on the same model, data and thread: `make bench`.

    python benchmarks/attribution.py [--models mlp cnn] [--sizes 2000 10000] [--only ip if_cg] [--libraries captum]
                                     [--seconds 300] [--again]

The libraries take turns, method by method, so that a slower minute meets all of them.
Writes docs/benchmarks.csv with a row for each run; `python benchmarks/attribution_page.py` makes the page of it.
"""

import argparse
import csv
import os
import platform
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from libraries import HEFT, MOST_SECONDS, ROOT, Outcome, label, libraries_by_method, methods_of, python_for, run
from problem import LONG_SECONDS, MODELS, SMALL, SMALLEST
from torch import Tensor
from trained_problem import make_problem

TABLE = ROOT / "docs" / "benchmarks.csv"
COLUMNS = ("model", "n", "method", "library", "cpu_seconds", "forward_cpu_seconds", "forward_passes", "peak_mb",
           "agreement", "failure", "torch", "machine")  # fmt: skip
MEASURED = [name for name in MODELS if name not in (SMALL, SMALLEST)]
LARGEST = {"resnet18": 64}  # examples, where a forward pass over thousands takes minutes on one thread
TURNS = 3  # each method with each library, unless a call takes LONG_SECONDS


def agreement(left: Tensor, right: Tensor) -> float:
    """Absolute Spearman correlation: signs and scales are each library's own."""
    ranks = torch.stack([scores.argsort().argsort().double() for scores in (left, right)])
    return float(torch.corrcoef(ranks)[0, 1].abs())


def measure(name: str, n: int, arguments: argparse.Namespace, folder: Path) -> Iterator[dict[str, object]]:
    """A row for each library and method."""
    done = {(row["model"], row["n"], row["method"], row["library"]) for row in rows_so_far() if not row["failure"]}
    make_problem(name, n, folder)
    reference: dict[str, Tensor] = {}
    about = {"torch": torch.__version__, "machine": f"{platform.machine()} {platform.system()}, {os.cpu_count()} cores"}
    for method, having in libraries_by_method().items():
        if arguments.only and method not in arguments.only:
            continue
        chosen = [
            (label(requirement), python_for(requirement), script)
            for library, script, requirement in having
            if library in ("heft", *(arguments.libraries or [library]))
            if not arguments.again or (name, str(n), method, label(requirement)) in done
        ]
        for library, outcomes in in_turns(chosen, method, folder, arguments.seconds).items():
            row: dict[str, object] = {"model": name, "n": n, "method": method, "library": library, **about}
            scores = outcomes[-1][1]
            if scores is not None:
                row["agreement"] = agreement(scores, reference.setdefault(method, scores))
            yield row | cost_of(outcomes)


def in_turns(
    libraries: list[tuple[str, str, Path]], method: str, folder: Path, most_seconds: int
) -> dict[str, list[Outcome]]:
    """What each library's processes came to, in turns, so that a slower minute meets all; a long one has one turn."""
    outcomes: dict[str, list[Outcome]] = {}
    for _ in range(TURNS):
        for library, python, script in libraries:
            before = outcomes.setdefault(library, [])
            if not before or (not before[-1][2] and before[-1][0]["cpu_seconds"] < LONG_SECONDS):
                before.append(run(python, script, method, folder, most_seconds))
    return outcomes


def cost_of(outcomes: list[Outcome]) -> dict[str, object]:
    """The least time and least forward pass of all turns, the middle peak of memory; or why the last turn failed."""
    failure = outcomes[-1][2]
    if failure:
        return {"failure": failure}
    costs = [cost for cost, _, _ in outcomes]
    seconds, forward = (min(cost[key] for cost in costs) for key in ("cpu_seconds", "forward_cpu_seconds"))
    return {
        "cpu_seconds": seconds,
        "forward_cpu_seconds": forward,
        "forward_passes": seconds / forward,
        "peak_mb": statistics.median(cost["peak_mb"] for cost in costs),
        "failure": "",
    }


def main() -> None:
    """Measures and writes the table; a row that is measured again replaces its former one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=MEASURED, choices=MEASURED)
    parser.add_argument("--sizes", nargs="+", type=int, default=[2000, 10000])
    parser.add_argument("--only", nargs="+", help="methods")
    parser.add_argument("--libraries", nargs="+", help="besides Heft, which is always measured beside them")
    parser.add_argument("--seconds", type=int, default=MOST_SECONDS, help="after which a process is given up")
    parser.add_argument("--again", action="store_true", help="only what the table has a time of already")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.models:
        for n in dict.fromkeys(min(size, LARGEST.get(name, size)) for size in arguments.sizes):
            with tempfile.TemporaryDirectory() as folder:
                for row in measure(name, n, arguments, Path(folder)):
                    keep(row)
                    passes = row.get("forward_passes")
                    said = f"{passes:9.1f} forward passes" if isinstance(passes, float) else str(row["failure"])
                    print(f"{name:9} n = {n:6} {row['method']:12} {row['library']:20} {said}", flush=True)


def rows_so_far() -> list[dict[str, str]]:
    """The rows of the table."""
    return list(csv.DictReader(TABLE.open())) if TABLE.exists() else []


def keep(row: dict[str, object]) -> None:
    """Writes the row into the table, which goes by model, size, method in Heft's order, and library, Heft first."""
    rows = rows_so_far()

    def key(entry: Mapping[str, object]) -> list[str]:
        return [str(entry[name]) for name in ("model", "n", "method", "library")]

    methods = methods_of(HEFT)

    def place(entry: Mapping[str, object]) -> tuple[object, ...]:
        model, n, method, library = key(entry)
        return MEASURED.index(model), int(n), methods.index(method), library != "heft", library

    rows = sorted([*(other for other in rows if key(other) != key(row)), row], key=place)  # type: ignore[list-item]
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()

"""Whether time per example and memory stay constant as the training set grows: part of `make bench`.

    python benchmarks/streaming.py [--sizes 1000 4000 16000 60000] [--only ip if_cg]

Each of Heft's methods scores Fashion-MNIST with the MLP of trained_problem.py, in a process of its own. Writes
docs/streaming.csv: time in forward passes over the same examples, memory above what imports and data take.
"""

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from libraries import HEFT, MOST_SECONDS, ROOT, methods_of, run
from trained_problem import make_problem

TABLE = ROOT / "docs" / "streaming.csv"
COLUMNS = ("method", "n", "forward_passes", "peak_mb")


def main() -> None:
    """Measures and writes the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=[1000, 4000, 16000, 60000])
    parser.add_argument("--only", nargs="+", help="methods")
    parser.add_argument("--seconds", type=int, default=MOST_SECONDS, help="after which a method is given up")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = dict(read(TABLE)) if TABLE.exists() else {}
    for n in arguments.sizes:
        with tempfile.TemporaryDirectory() as folder:
            make_problem("mlp", n, Path(folder))
            for method in arguments.only or methods_of(HEFT):
                cost, _, failure = run(sys.executable, HEFT, method, Path(folder), arguments.seconds)
                if failure:
                    raise SystemExit(f"{method}, n = {n}: {failure}")
                passes = cost["cpu_seconds"] / cost["forward_cpu_seconds"]
                rows[method, n] = (f"{passes:.2f}", f"{cost['peak_mb']:.1f}")
                write(rows)
                print(f"n = {n:6}  {method:18} {passes:8.1f} forward passes  {cost['peak_mb']:6.0f} MB", flush=True)


def write(rows: dict[tuple[str, int], tuple[str, str]]) -> None:
    """Writes the table, by size and method in Heft's order."""
    order = methods_of(HEFT)
    in_order = sorted(rows.items(), key=lambda row: (row[0][1], order.index(row[0][0])))
    with TABLE.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *((*key, *values) for key, values in in_order)])


def read(table: Path) -> Iterator[tuple[tuple[str, int], tuple[str, str]]]:
    """Method and n with what was measured; a row that is measured again takes the place of its former one."""
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            yield (row["method"], int(row["n"])), (row["forward_passes"], row["peak_mb"])


if __name__ == "__main__":
    main()

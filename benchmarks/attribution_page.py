"""Makes docs/benchmarks.md and its figure from docs/benchmarks.csv: `python benchmarks/attribution_page.py`."""

from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns

DOCS = Path(__file__).parent.parent / "docs"
HEAD = """# Heft and other libraries, measured

Every library scores each training example against the mean validation loss of the same model on the same data, with
one thread, in a process and an environment of its own; the whole call counts, gradients, factors and solves included.
Time is a multiple of one forward pass over the training set, timed in the same process. Memory is the peak above what
imports and data take; what was freed before the call is given back first, else a library that uses it again would seem
leaner. Data: Fashion-MNIST with a fifth of the labels wrong, 1,000 validation images (ResNet-18: 32). Models: an MLP
784-256-128-10, a CNN of two convolutions, ResNet-18. Repeat it with `make bench`; a library is added by one file in
`benchmarks/peers`. Every process keeps freed memory as Heft's jobs do (`heft/scoring/memory.py`), whatever the library.
Every library has three turns, of three runs, at each method (one run where it takes over 20 s); the least counts.

Two measurements stand here. Most was measured within two hours of one day, nothing beside, in one turn, while blocks
of at most 8 MB were kept; it is 16 MB now, with which Heft's `ip` on ResNet-18 takes .83 of the time, and `if_kfac`
there takes 1.24 GB. On the CNN at n = 10,000 `ip`, `tracin`, `if_kfac` and `if_lissa`, and `datainf` there, at 2,000
and on the MLP at 10,000, were measured later with 16 MB, in turns, on a machine a third as fast, which others were
using too. Compare rows of one method only. What is not in a table below has not been measured; what was given up was so
on other days.

"""
STREAMING = """## Heft from 1,000 to 60,000 examples

Forward passes over the same examples, so that a constant number is a constant time per example; then the peak of memory
above what imports and data take. The MLP; `python benchmarks/streaming.py`. What a method does once (eigenvectors,
gradients of the validation split) weighs less the more examples there are. TRAK does not stream: it holds the projected
gradients, 512 numbers for each example. DataInf keeps gradients until 64 MB are full, here at about 20,000 examples;
from there its memory is constant, and it makes the other examples' gradients three times.

"""
COLUMNS = ("method", "library", "x forward pass", "x Heft", "peak MB", "rank agreement with Heft")


def main() -> None:
    """Writes the page and the figure."""
    table = pd.read_csv(DOCS / "benchmarks.csv", keep_default_na=False)
    for column in ("forward_passes", "peak_mb", "agreement"):
        table[column] = pd.to_numeric(table[column], errors="coerce")
    parts = [HEAD, "![time by method and library](benchmarks.svg)\n", losses(table)]
    for (model, n), block in table.groupby(["model", "n"], sort=False):
        parts.append(f"## {model}, n = {n:,}\n\n{lines(block)}\n")
    parts.append(streaming())
    last = table.iloc[-1]
    machine = f"torch {last['torch']}, {last['machine']}, one thread"
    parts.append(f"{machine}; good to about a fifth.\n")
    (DOCS / "benchmarks.md").write_text("\n".join(parts), encoding="utf-8")
    draw(table)


def lines(block: pd.DataFrame) -> str:
    """A line for each method and library, Heft first."""
    rows = [line(*COLUMNS), line(*("---" for _ in COLUMNS))]
    for method, own in block.groupby("method", sort=False):
        ours = own[own["library"] == "heft"]["forward_passes"].min()
        for _, row in own.sort_values("library", key=lambda names: (names != "heft").astype(str) + names).iterrows():
            if row["failure"]:
                rows.append(line(f"`{method}`", row["library"], f"failed: {row['failure']}", "", "", ""))
                continue
            ratio = "" if row["library"] == "heft" else f"{row['forward_passes'] / ours:.1f}"
            numbers = (f"{row['forward_passes']:,.1f}", ratio, f"{row['peak_mb']:,.0f}", f"{row['agreement']:.3f}")
            rows.append(line(f"`{method}`", row["library"], *numbers))
    return "\n".join(rows)


def streaming() -> str:
    """Time and memory of each of Heft's methods by the number of examples."""
    table = pd.read_csv(DOCS / "streaming.csv")
    sizes = sorted(table["n"].unique())
    rows = [line("method", *(f"n = {n:,}" for n in sizes)), line(*("---" for _ in range(len(sizes) + 1)))]
    for method, own in table.groupby("method", sort=False):
        by_size = own.set_index("n")
        cells = (
            f"{by_size['forward_passes'][n]:,.1f}; {by_size['peak_mb'][n]:,.0f} MB" if n in by_size.index else ""
            for n in sizes
        )
        rows.append(line(f"`{method}`", *cells))
    return STREAMING + "\n".join(rows) + "\n"


def line(*cells: str) -> str:
    """A line of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def losses(table: pd.DataFrame) -> str:
    """Where another library is faster or takes less memory."""
    said = []
    measured = table.dropna(subset=["forward_passes"])
    for (model, n, method), own in measured.groupby(["model", "n", "method"], sort=False):
        ours, others = own[own["library"] == "heft"], own[own["library"] != "heft"]
        if ours.empty or others.empty:
            continue
        for column, words in (("forward_passes", "is faster"), ("peak_mb", "takes less memory")):
            best = others.loc[others[column].idxmin()]
            share = best[column] / ours[column].min()
            if share < 1:
                said.append(f"* {model}, n = {n:,}, `{method}`: {best['library']} {words} ({share:.2f} of Heft's).")
    return "## Where Heft loses\n\n" + ("\n".join(said) or "Nowhere among these runs.") + "\n"


def draw(table: pd.DataFrame) -> None:
    """A dot for each library and method, time on a logarithmic axis, one panel for each model and size."""
    done = table.dropna(subset=["forward_passes"])
    done = done.assign(panel=done["model"] + ", n = " + done["n"].map("{:,}".format))
    sns.set_theme(style="whitegrid")
    matplotlib.rcParams["svg.hashsalt"] = "heft"
    looks = {
        "hue": "library",
        "style": "library",
        "col": "panel",
        "col_wrap": min(2, done["panel"].nunique()),
        "s": 90,
        "height": 3.4,
        "aspect": 1.5,
    }
    done = done.sort_values("library", key=lambda names: (names != "heft").astype(str) + names, kind="stable")
    grid = sns.relplot(done, x="forward_passes", y="method", **looks)
    grid.set(xscale="log", xlabel="CPU time, in forward passes over the training set", ylabel="")
    grid.set_titles("{col_name}")
    grid.savefig(DOCS / "benchmarks.svg", metadata={"Date": None})
    plt.close("all")


if __name__ == "__main__":
    main()

"""Whether Heft and other libraries compute what the papers define: part of `make bench`.

Each library scores 2,000 images with a model of 970 parameters, for which every formula can be written down in float64
(textbook.py), with the damping and the labels that the library says it uses. Writes docs/peers.md.
"""

import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import torch
from attribution_page import line
from libraries import ROOT, label, libraries, methods_of, python_for, run
from problem import SMALL, Problem
from textbook import Textbook
from torch import Tensor
from trained_problem import make_problem

PAGE = ROOT / "docs" / "peers.md"
HEAD = """# What other libraries compute

Each library scores 2,000 Fashion-MNIST images of 7 x 7 pixels, a fifth of their labels wrong, against the mean loss of
1,000 validation images, by an MLP of 970 parameters. Beside it stands the method's formula, every matrix written down
in float64 ([benchmarks/textbook.py](../benchmarks/textbook.py)), with the damping that the library was given. The
correlation is Pearson's, absolute, since each library has its own sign. Where labels or projections are drawn, 1 is
not to be had. Repeat it with `make bench`.

"""
COLUMNS = ("method", "library", "correlation with the formula", "formula", "what we found in its source")
Formula = tuple[str, Callable[[Textbook, Problem], Tensor]]

GAUSS_NEWTON: Formula = ("damped Gauss-Newton", lambda book, problem: book.solved(gauss_newton(book), problem.damping))
HESSIAN: Formula = ("damped Hessian", lambda book, problem: book.solved(hessian(book), problem.damping))
DRAWN = "Fisher matrix, labels drawn from the model"
# Method -> library -> what it computes; "" stands for the libraries that are not named.
FORMULAS: dict[str, dict[str, Formula]] = {
    "ip": {"": ("gradient inner product", lambda book, _: book.inner_product())},
    "tracin": {"": ("summed over checkpoints", lambda book, _: book.tracin())},
    "if_cg": {"": HESSIAN, "heft": GAUSS_NEWTON},
    "if_lissa": {"": HESSIAN, "heft": GAUSS_NEWTON},
    "if_arnoldi": {
        "": ("ten largest eigenpairs of the Hessian", lambda book, _: book.largest_eigenpairs(10)),
        "pydvl": (
            "the same, damped",
            lambda book, problem: book.largest_eigenpairs(10, problem.damping),
        ),
    },
    "datainf": {
        "": ("each layer, the paper's damping", lambda book, _: book.datainf("layer")),
        "pydvl": ("all parameters as one block", lambda book, problem: book.datainf("all", problem.datainf_damping)),
        "dattri": ("each layer, damping given", lambda book, problem: book.datainf("layer", problem.datainf_damping)),
    },
    "if_kfac": {"": (DRAWN, lambda book, _: book.kronecker(corrected=False))},
    "if_ekfac": {
        "": (DRAWN, lambda book, _: book.kronecker(corrected=True)),
        "pydvl": (DRAWN + ", damping given", lambda book, problem: book.kronecker(True, problem.damping)),
        "dattri": (DRAWN + ", damping given", lambda book, problem: book.kronecker(True, problem.damping)),
    },
    "trak": {
        "heft": ("without projection, same damping", lambda book, _: book.trak(0.1)),
        "dattri": ("without projection, of the mean margin", lambda book, _: book.trak(0.0, "margin")),
        "traker": ("without projection, of the mean margin, same damping", lambda book, _: book.trak(0.1, "margin")),
    },
}
NOTES = {
    ("heft", "trak"): "projected from 970 to 512 dimensions; with damping 0 it has 0.44 with the undamped formula",
    ("dattri", "ip"): "projects to 512 dimensions where nothing is said; here that is switched off",
    ("dattri", "if_cg"): "solves each batch's system by itself, in ten steps, and adds the solutions up",
    ("dattri", "if_lissa"): "one recursion for each batch, added up; makes the labels float",
    (
        "dattri",
        "if_ekfac",
    ): "takes the rows of the matrix of eigenvectors for its columns: the formula with that change "
    "and the labels of the data has 0.9994; appends the bias behind the flattened weight, then reshapes both",
    ("dattri", "trak"): "projected from 970 to 512 dimensions, no damping",
    ("kronfluence", "if_kfac"): "its own default damping is 1e-8 (0.94); None means a tenth of the mean eigenvalue",
    ("kronfluence", "if_ekfac"): "its own default damping is 1e-8 (0.96); None means a tenth of the mean eigenvalue",
    ("pydvl", "if_cg"): "averages batches as if all were equally long, here they are; takes a string for "
    "`second_order_mode` for the Hessian without a word",
    ("pydvl", "if_lissa"): "stopped after 100 steps",
    ("pydvl", "if_ekfac"): "instead of the Fisher matrix, second moments of sum_c sqrt(p_c) grad log p_c, in which "
    "labels mix: that formula has 1.0000; Linear layers only",
    ("traker", "trak"): "without its projection; `lambda_reg` damps, by default 0",
}


@cache
def gauss_newton(book: Textbook) -> Tensor:
    """Once for all libraries."""
    return book.gauss_newton()


@cache
def hessian(book: Textbook) -> Tensor:
    """Once for all libraries."""
    return book.hessian()


def compare(folder: Path) -> Iterator[tuple[str, str, str, str, str]]:
    """A row of the page for each method and library."""
    problem = make_problem(SMALL, 2000, folder)
    book = Textbook(problem)
    for library, script, requirement in libraries():
        for method in filter(FORMULAS.__contains__, methods_of(script)):
            _, scores, failure = run(python_for(requirement), script, method, folder)
            of_library = FORMULAS[method]
            name, formula = of_library[library] if library in of_library else of_library[""]
            said = f"failed: {failure}"
            if scores is not None:
                said = f"{correlation(scores, formula(book, problem)):.4f}"
            yield f"`{method}`", label(requirement), said, name, NOTES.get((library, method), "")


def correlation(left: Tensor, right: Tensor) -> float:
    """Absolute, Pearson's."""
    return float(torch.corrcoef(torch.stack([left.double(), right.double()]))[0, 1].abs())


def main() -> None:
    """Writes the page."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for row in compare(Path(folder)):
            print(*row[:3], sep="  ", flush=True)
            rows.append(row)
    order = list(FORMULAS)
    rows.sort(key=lambda row: (order.index(row[0].strip("`")), row[1] != "heft", row[1]))
    lines = [line(*COLUMNS), line(*("---" for _ in COLUMNS)), *(line(*row) for row in rows)]
    PAGE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

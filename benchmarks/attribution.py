"""Heft's methods and those of other libraries on the same model, data and thread: `make bench`.

    python benchmarks/attribution.py [--models mlp cnn] [--sizes 2000 10000] [--only ip if_cg] [--libraries captum]
                                     [--seconds 300] [--again]

Each library is installed into an environment of its own under .venv-peers, which sees the packages of this one, and
each method runs in a process of its own. To add a library, add a file `benchmarks/peers/with_<name>.py`; nothing else.
Writes docs/benchmarks.csv with a row for each run; `python benchmarks/attribution_page.py` makes the page of it.
"""

import argparse
import ast
import csv
import json
import os
import platform
import subprocess
import sys
import sysconfig
import tempfile
import venv
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE / "peers"), str(ROOT / "workflow_scripts")]

from problem import MODELS, N_CLASSES, SMALL, SMALLEST, Problem, save  # noqa: E402

from heft.kernels.curvature import CurvatureOperator, flatten  # noqa: E402
from heft.kernels.norms import squared_gradient_norms  # noqa: E402
from heft.models.build import build_model  # noqa: E402
from heft.objectives.gradient import objective_gradient  # noqa: E402
from heft.objectives.loss import loss  # noqa: E402
from heft.registry import declarations  # noqa: E402

warnings.filterwarnings("ignore", category=FutureWarning, message=".*torch.jit.script.*")  # torch's own
TABLE = ROOT / "docs" / "benchmarks.csv"
COLUMNS = ("model", "n", "method", "library", "cpu_seconds", "forward_cpu_seconds", "forward_passes", "peak_mb",
           "agreement", "failure", "torch", "machine")  # fmt: skip
MEASURED = [name for name in MODELS if name not in (SMALL, SMALLEST)]
LARGEST = {"resnet18": 64}  # examples, where a forward pass over thousands takes minutes on one thread
MOST_SECONDS = 300


def make_problem(name: str, n: int, folder: Path, data: tuple[Tensor, Tensor] | None = None) -> Problem:
    """A model trained for a few epochs on images, by default of Fashion-MNIST, with a fifth of the labels wrong."""
    torch.manual_seed(0)
    images, labels = images_of(name) if data is None else data
    order = torch.randperm(len(labels))
    chosen, held_out = order[:n], order[-1000 if n > 500 else -32 :]
    train, validation = (images[chosen], labels[chosen].clone()), (images[held_out], labels[held_out])
    wrong = torch.rand(n) < 0.2
    train[1][wrong] = torch.randint(0, N_CLASSES, (int(wrong.sum()),))
    registered, options, shape = MODELS[name]
    model = build_model(registered, options, shape, N_CLASSES, seed=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    checkpoints = []
    for _ in range(5):
        for batch in torch.randperm(n).split(64):
            optimizer.zero_grad()
            functional.cross_entropy(model(train[0][batch]), train[1][batch]).backward()
            optimizer.step()
        checkpoints.append(({key: tensor.clone() for key, tensor in model.state_dict().items()}, 0.02))
    state = checkpoints[-1][0]
    v = objective_gradient(loss, model, state, *validation)
    product = CurvatureOperator("gauss_newton", model, state, *train, like=v)
    damping = 0.1 * product.leading_eigenpair(flatten(v)).value
    squares = float(squared_gradient_norms(model, state, *train).mean())
    problem = Problem(name, folder, train, validation, checkpoints, damping, 0.1 * squares / len(flatten(v)))
    save(problem)
    return problem


def images_of(name: str) -> tuple[Tensor, Tensor]:
    """Fashion-MNIST as the model wants it."""
    found = declarations("data/sources")["fashion_mnist"].load()(Path(os.environ.get("HEFT_DATA", ".")))
    images, labels = torch.from_numpy(found.inputs), torch.from_numpy(found.labels).long()
    if name == SMALL:
        return functional.avg_pool2d(images, 4), labels
    if MODELS[name][2][0] == 3:
        images = functional.pad(images, (2, 2, 2, 2)).expand(-1, 3, -1, -1)
    return images, labels


def libraries() -> Iterator[tuple[str, Path, str]]:
    """Name, script and requirement of each library, Heft first."""
    scripts = sorted((HERE / "peers").glob("with_*.py"), key=lambda file: (file.stem != "with_heft", file.stem))
    for script in scripts:
        for node in ast.parse(script.read_text()).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "REQUIREMENT":
                yield script.stem.removeprefix("with_"), script, ast.literal_eval(node.value)


def label(requirement: str) -> str:
    """Name and version of a library, as the table says it."""
    return requirement.split()[0] if requirement else "heft"


def python_for(library: str, requirement: str) -> str:
    """The interpreter of the library's environment, which is made where it is not there."""
    if not requirement:
        return sys.executable
    folder = ROOT / ".venv-peers" / label(requirement).replace("==", "-")
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        print(f"installing {requirement}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        shared = folder / "lib" / version / "site-packages" / "shared.pth"
        shared.write_text(sysconfig.get_paths()["purelib"] + "\n")
        subprocess.run([python, "-m", "pip", "install", "-qq", *requirement.split()], check=True)
        (folder / "ready").touch()
    return str(python)


def run(
    python: str, script: Path, method: str, folder: Path, most_seconds: int = MOST_SECONDS
) -> tuple[dict[str, float], Tensor | None, str]:
    """What it cost, the scores, and why it failed, in one line."""
    from safetensors.torch import load_file

    result = folder / "result.json"
    result.unlink(missing_ok=True)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [python, str(script), str(folder), method, str(result)],
            capture_output=True,
            text=True,
            timeout=most_seconds,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return {}, None, f"not done after {most_seconds} s"
    if done.returncode:
        return {}, None, (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1][:160]
    return json.loads(result.read_text()), load_file(result.with_suffix(".safetensors"))["scores"], ""


def agreement(left: Tensor, right: Tensor) -> float:
    """Absolute Spearman correlation: signs and scales are each library's own."""
    ranks = torch.stack([scores.argsort().argsort().double() for scores in (left, right)])
    return float(torch.corrcoef(ranks)[0, 1].abs())


def methods_of(script: Path) -> list[str]:
    """The keys of a script's METHODS, from its parsed text."""
    for node in ast.parse(script.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "METHODS":
            assert isinstance(node.value, ast.Dict), f"{script.name}: METHODS must be a dictionary with literal keys"
            return [ast.literal_eval(key) for key in node.value.keys if key is not None]
    raise ValueError(f"{script.name} holds no METHODS")


def measure(name: str, n: int, arguments: argparse.Namespace, folder: Path) -> Iterator[dict[str, object]]:
    """A row for each library and method."""
    done = {(row["model"], row["n"], row["method"], row["library"]) for row in rows_so_far() if not row["failure"]}
    make_problem(name, n, folder)
    reference: dict[str, Tensor] = {}
    about = {"torch": torch.__version__, "machine": f"{platform.machine()} {platform.system()}, {os.cpu_count()} cores"}
    for library, script, requirement in libraries():
        if arguments.libraries and library not in ("heft", *arguments.libraries):
            continue
        python = python_for(library, requirement)
        for method in methods_of(script):
            if arguments.only and method not in arguments.only:
                continue
            if arguments.again and (name, str(n), method, label(requirement)) not in done:
                continue
            cost, scores, failure = run(python, script, method, folder, arguments.seconds)
            row: dict[str, object] = {"model": name, "n": n, "method": method, "library": label(requirement)}
            row |= {"failure": failure, **about}
            if scores is not None:
                reference.setdefault(method, scores)
                passes = cost["cpu_seconds"] / cost["forward_cpu_seconds"]
                row |= {key: cost[key] for key in ("cpu_seconds", "forward_cpu_seconds", "peak_mb")}
                row |= {"forward_passes": passes, "agreement": agreement(scores, reference[method])}
            yield row


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

    def key(one: Mapping[str, object]) -> list[str]:
        return [str(one[name]) for name in ("model", "n", "method", "library")]

    methods = methods_of(HERE / "peers" / "with_heft.py")

    def place(one: Mapping[str, object]) -> tuple[object, ...]:
        model, n, method, library = key(one)
        return MEASURED.index(model), int(n), methods.index(method), library != "heft", library

    rows = sorted([*(one for one in rows if key(one) != key(row)), row], key=place)  # type: ignore[list-item]
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()

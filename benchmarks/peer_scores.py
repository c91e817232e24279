"""Records what other libraries score, for tests that hold Heft against them without installing them.

    python benchmarks/peer_scores.py

Points around ten centres, drawn here, with a fifth of the labels wrong: an MLP of 970 parameters for all methods but
DataInf, and logistic regression for DataInf, where one damping for all parameters is one for each layer. Only methods
that docs/peers.md finds right are recorded. Writes problem and scores into tests/peers.
"""

import json
import tempfile
from pathlib import Path

import torch
from libraries import ROOT, label, libraries, python_for, run
from problem import N_CLASSES, SMALL, SMALLEST
from safetensors.torch import save_file
from torch import Tensor
from trained_problem import make_problem

TARGET = ROOT / "tests" / "peers"
N_TRAIN = 500
RECORDED = {
    SMALL: {
        "captum": ("ip", "tracin"),
        "dattri": ("ip", "tracin", "if_arnoldi"),
        "kronfluence": ("ip", "if_kfac", "if_ekfac"),
        "pydvl": ("if_cg",),
        "traker": ("trak",),
    },
    SMALLEST: {"dattri": ("datainf",), "pydvl": ("datainf", "if_arnoldi")},
}


def points() -> tuple[Tensor, Tensor]:
    """Inputs [600, 1, 7, 7] and the centres they belong to."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(N_CLASSES, 49, generator=generator)
    labels = torch.randint(0, N_CLASSES, (600,), generator=generator)
    noise = torch.randn(600, 49, generator=generator)
    return (centres[labels] + 1.5 * noise).unflatten(1, (1, 7, 7)), labels


def main() -> None:
    """Runs the libraries and writes what they say."""
    torch.set_num_threads(1)
    scripts = {library: (script, requirement) for library, script, requirement in libraries()}
    for name, methods in RECORDED.items():
        recorded = {}
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            make_problem(name, N_TRAIN, folder, points())
            for library, own in methods.items():
                script, requirement = scripts[library]
                for method in own:
                    _, scores, failure = run(python_for(requirement), script, method, folder)
                    if scores is None:
                        raise SystemExit(f"{library} {method}: {failure}")
                    recorded[f"{label(requirement)} {method}"] = scores.float()
            target = TARGET / name
            target.mkdir(parents=True, exist_ok=True)
            for file in ("problem.safetensors", "problem.json"):
                (target / file).write_bytes((folder / file).read_bytes())
        save_file(recorded, target / "scores.safetensors")
        print(json.dumps({name: list(recorded)}))


if __name__ == "__main__":
    main()

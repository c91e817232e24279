"""The problem that every library is given, and how its run is measured.

A script `with_<library>.py` holds REQUIREMENT, what pip installs for it, and METHODS, {method: function(problem)}; each
function returns one score for each training example against the mean validation loss, in any scale and sign that the
library defines (only the absolute rank agreement is printed). `main(METHODS)` runs one method in a process of its own.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))

from heft.models.build import build_model
from heft.scoring.cost import forward_cpu_seconds, measure
from heft.scoring.memory import keep_freed_memory

SMALL = "small_mlp"  # 970 parameters, so that every matrix can be written down
SMALLEST = "small_logistic"  # one layer, where a damping for all parameters is a damping for each layer
MODELS = {
    "mlp": ("mlp", {"hidden": [256, 128]}, (1, 28, 28)),
    "cnn": ("cnn", {}, (1, 28, 28)),
    "resnet18": ("resnet18", {"norm": "batch"}, (3, 32, 32)),
    SMALL: ("mlp", {"hidden": [16]}, (1, 7, 7)),
    SMALLEST: ("logistic", {}, (1, 7, 7)),
}
N_CLASSES = 10
REPETITIONS, LONG_SECONDS = 3, 20


@dataclass(frozen=True)
class Problem:
    """A trained model with its checkpoints, training and validation data; `folder` is scratch space.

    checkpoints: states along the training with their learning rate; the last one is the trained model. damping
    and datainf_damping are absolute: of Heft's `if_cg`, so that all solve the same system, and a tenth of the mean
    squared gradient of a parameter, DataInf's own.
    """

    name: str
    folder: Path
    train: tuple[Tensor, Tensor]
    validation: tuple[Tensor, Tensor]
    checkpoints: list[tuple[dict[str, Tensor], float]]
    damping: float
    datainf_damping: float

    @cached_property
    def model(self) -> nn.Module:
        """The model in evaluation mode, with the trained state."""
        name, options, shape = MODELS[self.name]
        model = build_model(name, options, shape, N_CLASSES, seed=0).eval()
        model.load_state_dict(self.state)
        return model

    @property
    def state(self) -> dict[str, Tensor]:
        """Parameters and buffers of the trained model."""
        return self.checkpoints[-1][0]

    def loader(self, batch_size: int) -> DataLoader:
        """The training examples in order."""
        return DataLoader(TensorDataset(*self.train), batch_size=batch_size)

    def validation_loader(self, batch_size: int) -> DataLoader:
        """The validation examples in order."""
        return DataLoader(TensorDataset(*self.validation), batch_size=batch_size)


def few(problem: Problem) -> Problem:
    """The same with few examples."""
    train, validation = ((part[0][:n], part[1][:n]) for part, n in ((problem.train, 64), (problem.validation, 16)))
    return replace(problem, train=train, validation=validation)


def save(problem: Problem) -> None:
    """Writes a problem into its folder."""
    tensors = {"train.0": problem.train[0], "train.1": problem.train[1]}
    tensors |= {"validation.0": problem.validation[0], "validation.1": problem.validation[1]}
    for index, (state, _) in enumerate(problem.checkpoints):
        tensors |= {f"state{index}/{name}": tensor.contiguous() for name, tensor in state.items()}
    save_file(tensors, problem.folder / "problem.safetensors")
    facts = {
        "name": problem.name,
        "rates": [rate for _, rate in problem.checkpoints],
        "damping": problem.damping,
        "datainf_damping": problem.datainf_damping,
    }
    (problem.folder / "problem.json").write_text(json.dumps(facts))


def load(folder: Path) -> Problem:
    """Reads a problem back."""
    facts, tensors = json.loads((folder / "problem.json").read_text()), load_file(folder / "problem.safetensors")
    states = [
        ({k.partition("/")[2]: t for k, t in tensors.items() if k.startswith(f"state{index}/")}, rate)
        for index, rate in enumerate(facts["rates"])
    ]
    return Problem(
        facts["name"],
        folder,
        (tensors["train.0"], tensors["train.1"]),
        (tensors["validation.0"], tensors["validation.1"]),
        states,
        facts["damping"],
        facts["datainf_damping"],
    )


def main(methods: Mapping[str, Callable[[Problem], Tensor]]) -> None:
    """Runs one method: `with_<library>.py <folder> <method> <file for the result>`.

    The result holds CPU seconds of the whole call, the least of three unless they take long, the least of a forward
    pass in the same process in turns with them, megabytes of memory above what data and imports take, and the scores.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("method", choices=list(methods))
    parser.add_argument("result", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()  # for every library, as Heft's own jobs do
    problem = load(arguments.folder)
    model, state, inputs = problem.model, problem.state, problem.train[0]
    methods[arguments.method](few(problem))  # what a library loads or compiles at its first call is not counted
    forward = [forward_cpu_seconds(model, state, inputs, 5)]
    with measure() as cost:
        scores = methods[arguments.method](problem)
    seconds = [cost.cpu_seconds]
    forward.append(forward_cpu_seconds(model, state, inputs, 5))
    while len(seconds) < REPETITIONS and sum(seconds) < LONG_SECONDS:
        with measure() as again:
            methods[arguments.method](problem)
        seconds.append(again.cpu_seconds)
        forward.append(forward_cpu_seconds(model, state, inputs, 5))
    save_file({"scores": scores.detach().double().contiguous()}, arguments.result.with_suffix(".safetensors"))
    arguments.result.write_text(
        json.dumps(
            {
                "cpu_seconds": min(seconds),
                "forward_cpu_seconds": min(forward),
                "peak_mb": cost.peak_mb,
            }
        )
    )

"""Saved states of training runs: how they are written and verified; which are kept, `roles.py` says.

A folder holds `states.safetensors`, with keys "{run}/{epoch}/{parameter}", and beside it an index: `states.json` of the
`train` stage (every epoch) or `checkpoints.json` (the epochs that some role needs). The index gives each state's
SHA-256.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from heft.artifacts import read_json, read_tensors, write_json, write_tensors
from heft.errors import HeftError
from heft.models.build import ModelSpec

TENSORS, STATES, CHECKPOINTS = "states.safetensors", "states.json", "checkpoints.json"


@dataclass(frozen=True)
class SavedState:
    """Parameters and buffers after `epoch`, with the number of steps done and the epoch's mean learning rate."""

    epoch: int
    step: int
    learning_rate: float
    state: dict[str, Tensor]


@dataclass(frozen=True)
class Run:
    """One training run: its saved states by epoch, and the epochs that play each role (see `select_roles`)."""

    states: dict[int, SavedState]
    roles: dict[str, list[int]] = field(default_factory=dict)
    cpu_seconds: float = 0.0

    def role(self, name: str) -> list[SavedState]:
        """States of a role, earliest first."""
        return [self.states[epoch] for epoch in self.roles[name]]

    @property
    def final(self) -> SavedState:
        """The state that scores are taken at."""
        return self.role("final")[0]


@dataclass(frozen=True)
class Checkpoints:
    """Runs of one model by number (0 is the base model), and what their training cost together."""

    model: ModelSpec
    runs: dict[int, Run]
    cpu_seconds: float


def write_states(folder: str | Path, checkpoints: Checkpoints) -> None:
    """Writes every state, and `states.json`."""
    _write(Path(folder), STATES, checkpoints)


def write_checkpoints(folder: str | Path, checkpoints: Checkpoints) -> None:
    """Writes the selected states, and `checkpoints.json`."""
    _write(Path(folder), CHECKPOINTS, checkpoints)


def load_states(folder: str | Path) -> Checkpoints:
    """What `write_states` wrote, verified; see `load_checkpoints`."""
    return _read(Path(folder), STATES)


def load_checkpoints(*folders: str | Path) -> Checkpoints:
    """The runs of all folders, verified; costs are added up.

    Raises HeftError naming file, run and epoch where a state is missing or its SHA-256 is not the index's.
    """
    first, *others = [_read(Path(folder), CHECKPOINTS) for folder in folders]
    return replace(
        first,
        runs={number: run for part in (first, *others) for number, run in part.runs.items()},
        cpu_seconds=sum(part.cpu_seconds for part in (first, *others)),
    )


def sha256_of_state(state: dict[str, Tensor]) -> str:
    """SHA-256 over name, type, shape and bytes of each tensor, in the order of names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        # As bytes: numpy has no bfloat16.
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _write(folder: Path, index: str, checkpoints: Checkpoints) -> None:
    tensors = {
        f"{number}/{epoch}/{name}": tensor
        for number, run in checkpoints.runs.items()
        for epoch, saved in run.states.items()
        for name, tensor in saved.state.items()
    }
    write_tensors(folder / TENSORS, tensors)
    facts = {
        "model": checkpoints.model.as_json(),
        "cpu_seconds": checkpoints.cpu_seconds,
        "runs": {str(number): _run_facts(run) for number, run in checkpoints.runs.items()},
    }
    write_json(folder / index, facts)


def _run_facts(run: Run) -> dict[str, Any]:
    states = [
        {
            "epoch": saved.epoch,
            "step": saved.step,
            "learning_rate": saved.learning_rate,
            "sha256": sha256_of_state(saved.state),
        }
        for saved in run.states.values()
    ]
    return {"states": states, "roles": run.roles, "cpu_seconds": run.cpu_seconds}


def _read(folder: Path, index: str) -> Checkpoints:
    facts = read_json(folder / index)
    states: dict[str, dict[str, Tensor]] = {}
    for key, tensor in read_tensors(folder / TENSORS, verified=False).items():  # by the index, state by state
        number, epoch, name = key.split("/", 2)
        states.setdefault(f"{number}/{epoch}", {})[name] = tensor
    runs = {
        int(number): Run(
            {saved.epoch: saved for saved in _verified(run["states"], states, number, folder / TENSORS)},
            run["roles"],
            run["cpu_seconds"],
        )
        for number, run in facts.pop("runs").items()
    }
    return Checkpoints(**{**facts, "model": ModelSpec(**facts["model"])}, runs=runs)


def _verified(
    entries: list[dict[str, Any]], states: dict[str, dict[str, Tensor]], number: str, file: Path
) -> Iterable[SavedState]:
    for entry in entries:
        state = states.get(f"{number}/{entry['epoch']}")
        if state is None:
            raise HeftError(
                f"{file}: the state of run {number}, epoch {entry['epoch']}, is missing; delete the file and run again."
            )
        actual = sha256_of_state(state)
        if actual != entry["sha256"]:
            raise HeftError(
                f"{file}: the state of run {number}, epoch {entry['epoch']}, was changed: SHA-256 expected "
                f"{entry['sha256']}, found {actual}; delete it and run again."
            )
        yield SavedState(entry["epoch"], entry["step"], entry["learning_rate"], state)

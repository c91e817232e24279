"""Which states of a training run are kept, by the role that each epoch plays."""

from dataclasses import dataclass, replace

import pandas as pd

from heft.training.checkpoints import Checkpoints
from heft.training.settings import CheckpointSettings


@dataclass(frozen=True)
class Kept:
    """Which states are kept: those of `roles`, and the last `latest` ones up to the final."""

    roles: tuple[str, ...] = ("final", "spaced", "early", "best", "last")
    latest: int = 0


def select_roles(settings: CheckpointSettings, n_epochs: int, history: pd.DataFrame) -> dict[str, list[int]]:
    """Epochs of each role, from one run's history (columns epoch, validation_loss).

    spaced: evenly, ending with the last. early: the first ones after the initial state. best: of the lowest
    validation loss, the earliest of equals. final: `last` or `best`, as the settings say. every: all but the initial.
    """
    trained = history[history["epoch"] > 0].sort_values("epoch")
    best = int(trained["epoch"].iloc[int(trained["validation_loss"].to_numpy().argmin())])
    n_spaced = min(settings.spaced, n_epochs)
    return {
        "final": [best if settings.final == "best" else n_epochs],
        "spaced": [round(n_epochs * (k + 1) / n_spaced) for k in range(n_spaced)],
        "early": list(range(1, min(settings.early, n_epochs) + 1)),
        "best": [best],
        "last": [n_epochs],
        "every": list(range(1, n_epochs + 1)),
    }


def keep_selected(
    checkpoints: Checkpoints, history: pd.DataFrame, settings: CheckpointSettings, kept: Kept
) -> Checkpoints:
    """The same runs with the roles that are kept, and without the states that none of them needs."""
    runs = {}
    for number, run in checkpoints.runs.items():
        all_roles = select_roles(settings, max(run.states), history[history["run"] == number])
        roles = {name: all_roles[name] for name in kept.roles}
        final = roles["final"][0]
        latest = range(max(1, final - kept.latest + 1), final + 1)
        needed = sorted({epoch for epochs in roles.values() for epoch in epochs} | set(latest))
        runs[number] = replace(run, roles=roles, states={epoch: run.states[epoch] for epoch in needed})
    return replace(checkpoints, runs=runs)

"""Retrains a model on each curated training split of a variant, all of them together where the architecture allows."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from heft.curation.states import state_name
from heft.data.examples import Examples
from heft.devices import CPU, moved_to
from heft.models.build import ModelSpec
from heft.seeds import RunSeeds
from heft.training.batched.batchable import note_on_training_in_turn
from heft.training.batched.train_many import stack_states, train_many, unstack_state
from heft.training.loader import cpu_seconds
from heft.training.loop import state_of
from heft.training.settings import TrainingSettings


def retrain(
    spec: ModelSpec,
    train: Examples,
    plan: pd.DataFrame,
    settings: TrainingSettings,
    seeds: RunSeeds,
    told: Callable[[str], None] | None = None,
) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Weights of one model per action and fraction of `plan`, and the CPU seconds of one of them.

    plan: id, action, fraction, label, weight. Each model starts from the base model's initial weights and sees the base
    model's batches; a removed example keeps its slot with weight 0. Keys are `{action}-{fraction}/{parameter}`.
    told: gets a sentence where the models cannot be trained together.
    """
    started = cpu_seconds()
    blocks = [
        (state_name(str(action), float(fraction)), block)
        for (action, fraction), block in plan.groupby(["action", "fraction"], sort=False)
    ]
    model = spec.build(seeds.init, train.device)
    final = train_many(
        model,
        stack_states([state_of(model)] * len(blocks)),
        train,
        settings,
        order_seeds=[seeds.order] * len(blocks),
        weights=_stacked([block for _, block in blocks], "weight", train.ids).to(train.inputs.dtype),
        labels=_stacked([block for _, block in blocks], "label", train.ids),
        told=lambda reason: told(note_on_training_in_turn(spec.name, reason)) if told else None,
    )
    named = {
        f"{name}/{key}": tensor
        for index, (name, _) in enumerate(blocks)
        for key, tensor in moved_to(CPU, unstack_state(final, index)).items()
    }
    return named, {"retrain_cpu_seconds": (cpu_seconds() - started) / len(blocks)}


def _stacked(blocks: Sequence[pd.DataFrame], column: str, ids: np.ndarray) -> Tensor:
    """[n_models, n_train], in the order of `ids`."""
    return torch.from_numpy(np.stack([block.set_index("id")[column].loc[ids].to_numpy() for block in blocks]))

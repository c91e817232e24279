"""Trains many models one by one, with the answers of training them together."""

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor, nn

from heft.data.examples import Examples
from heft.training.batched.stack import stack_states, unstack_state
from heft.training.loop import AfterEpoch, train_one
from heft.training.mode import buffers_put_back
from heft.training.settings import TrainingSettings


def train_in_turn(
    model: nn.Module,
    initial: dict[str, Tensor],
    train: Examples,
    settings: TrainingSettings,
    order_seeds: Sequence[int],
    weights: Tensor,
    labels: Tensor | None,
    after_epoch: AfterEpoch | None,
) -> dict[str, Tensor]:
    """`train_many` by `train_one`; `after_epoch` is called during the last model's training, of all of them."""
    waiting: dict[int, list[dict[str, Tensor]]] = {}

    def record(epoch: int, state: dict[str, Tensor], step: int, learning_rate: float) -> None:
        waiting.setdefault(epoch, []).append(state)
        if after_epoch and len(waiting[epoch]) == len(order_seeds):
            after_epoch(epoch, stack_states(waiting.pop(epoch)), step, learning_rate)

    finals = []
    for member, order_seed in enumerate(order_seeds):
        with buffers_put_back(model):  # each starts with those buffers, too, that no state has
            model.load_state_dict(unstack_state(initial, member))
            examples = train if labels is None else replace(train, labels=labels[member].to(train.device))
            finals.append(
                train_one(
                    model,
                    examples,
                    settings,
                    order_seed=order_seed,
                    weights=weights[member],
                    after_epoch=record if after_epoch else None,
                )
            )
    return stack_states(finals)

"""What a method is given.

A method is one file: the decorator says what it needs, the function returns one score per training example.
Sign everywhere: score > 0 helps; the lowest scores are detrimental.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn

from heft.errors import HeftError
from heft.kernels.functional import logits_of
from heft.kernels.selection import moved_parameters, selected_parameters

# grad f and f, of a model, its state, inputs and labels; the gradient by the parameters of some names.
Gradient = Callable[[nn.Module, Mapping[str, Tensor], Tensor, Tensor, Collection[str]], dict[str, Tensor]]
Objective = Callable[[Tensor, Tensor], Tensor]  # (logits [m, n_classes], labels [m]) -> scalar


class Batch(NamedTuple):
    """Inputs [n, ...] and labels int64 [n]."""

    inputs: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Checkpoint:
    """Parameters and buffers by name, after `step` optimiser steps, with the learning rate there."""

    state: Mapping[str, Tensor]
    step: int = 0
    learning_rate: float = 0.0


class Dynamics(NamedTuple):
    """Logits of each training example after each epoch, the initial state left out: two tensors [n_epochs, n_train]."""

    label_logit: Tensor
    largest_other_logit: Tensor

    @property
    def margin(self) -> Tensor:
        """Logit of the given label minus the largest other one [n_epochs, n_train]; above 0 where the model agrees."""
        return self.label_logit - self.largest_other_logit


class Fold(NamedTuple):
    """A model trained without some training examples: its state, and those examples as bool [n_train]."""

    state: Mapping[str, Tensor]
    held_out: Tensor


@dataclass(frozen=True)
class Context:
    """All that a method may see, at one member of an ensemble (member 0 is the trained model).

    final: parameters and buffers that scores are taken at. spaced: checkpoints evenly over the run. early: those after
    the first epochs. dynamics: logits after every epoch. folds: models that together hold out each example once.
    fine_tuned: the final state after a short further training on the validation split. true_labels [n_train]: where
    known. What a method did not declare in `needs` is left empty.
    subsets: states of models that were each trained on a random half of the training split.
    gradient, objective: grad f and f itself. weight_decay: of the training objective.
    warnings: sentences that a method found worth saying about its own scores (`warn`).
    """

    train: Batch
    n_classes: int
    seed: int
    model: nn.Module | None = None
    final: Mapping[str, Tensor] = field(default_factory=dict)
    spaced: Sequence[Checkpoint] = ()
    early: Sequence[Checkpoint] = ()
    dynamics: Dynamics | None = None
    folds: Sequence[Fold] = ()
    fine_tuned: Mapping[str, Tensor] = field(default_factory=dict)
    validation: Batch | None = None
    true_labels: Tensor | None = None
    subsets: Sequence[Mapping[str, Tensor]] = ()
    gradient: Gradient | None = None
    objective: Objective | None = None
    weight_decay: float = 0.0
    warnings: list[str] = field(default_factory=list)

    @property
    def network(self) -> nn.Module:
        """The model; raises HeftError where the method runs without one."""
        if self.model is None:
            raise HeftError("This method was given no model; it must declare which states it needs.")
        return self.model

    @property
    def recorded(self) -> Dynamics:
        """The dynamics; raises HeftError where the method did not ask for them."""
        if self.dynamics is None:
            raise HeftError('This method was given no training dynamics; it must declare "dynamics" in `needs`.')
        return self.dynamics

    @property
    def trusted(self) -> Batch:
        """The validation split; raises HeftError where the method did not ask for it."""
        if self.validation is None:
            raise HeftError('This method was given no validation split; it must declare "validation" in `needs`.')
        return self.validation

    def parameter_names(self, parameters: str = "all", state: Mapping[str, Tensor] | None = None) -> tuple[str, ...]:
        """Those that the option selects of what training moves: `all`, `last` (layer), or a pattern of layer names such
        as `layer4.*`. state: by which the model is run once to see what training moves; None: the final one."""
        moved = moved_parameters(self.network, self.final if state is None else state, self.train.inputs)
        return selected_parameters(self.network, parameters, moved)

    def objective_gradient(self, state: Mapping[str, Tensor], parameters: str = "all") -> dict[str, Tensor]:
        """v = grad f(state) on the validation split, one tensor for each selected parameter."""
        if self.gradient is None:
            raise HeftError("This method was given no objective.")
        return self.gradient(self.network, state, *self.trusted, self.parameter_names(parameters, state))

    def objective_value(self, state: Mapping[str, Tensor]) -> Tensor:
        """f(state) on the validation split."""
        if self.objective is None:
            raise HeftError("This method was given no objective.")
        return self.objective(logits_of(self.network, state, self.trusted.inputs), self.trusted.labels)

    def warn(self, sentence: str) -> None:
        """Says in the log and in the report what a reader of the scores must know; without a full stop at the end."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def generator(self, name: str) -> torch.Generator:
        """A random stream of its own for this seed and name, the same on every call."""
        digest = hashlib.sha256(f"{self.seed}/method/{name}".encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)

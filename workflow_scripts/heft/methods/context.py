"""What a method is given.

A method is one file: the decorator says what it needs, the function returns one score per training example.
Sign everywhere: score > 0 helps; the lowest scores are detrimental.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn

from heft.errors import HeftError
from heft.kernels.batch import Batch
from heft.kernels.out_of_fold import out_of_fold_probabilities
from heft.kernels.selection import moved_parameters, selected_parameters
from heft.objectives.declare import Objective
from heft.objectives.gradient import objective_gradient, objective_value


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


class AuxiliaryModel(NamedTuple):
    """A further trained model: its parameters and buffers, and what it was trained without: bool [n_train], on the
    CPU."""

    state: Mapping[str, Tensor]
    held_out: Tensor


@dataclass(frozen=True)
class Context:
    """All that a method may see, at one member of an ensemble (member 0 is the trained model).

    final: parameters and buffers that scores are taken at. spaced: checkpoints evenly over the run. early: those after
    the first epochs. dynamics: logits after every epoch. auxiliary: further trained models by need, such as `folds`
    (see `auxiliary_models`). true_labels [n_train]: where known. What a method did not declare in `needs` is left
    empty.
    objective: f, which the experiment names. weight_decay: of the training objective.
    warnings: sentences that a method found worth saying about its own scores (`warn`).
    given_probabilities: float64 [n_train, n_classes] on the CPU, where a person gives what models predict that did not
    train on the example (`out_of_fold_probabilities`).
    suggested: the label that a method would give each example, int64 [n_train] (`suggest`).
    """

    train: Batch
    n_classes: int
    seed: int
    model: nn.Module | None = None
    final: Mapping[str, Tensor] = field(default_factory=dict)
    spaced: Sequence[Checkpoint] = ()
    early: Sequence[Checkpoint] = ()
    dynamics: Dynamics | None = None
    auxiliary: Mapping[str, Sequence[AuxiliaryModel]] = field(default_factory=dict)
    given_probabilities: Tensor | None = None
    validation: Batch | None = None
    true_labels: Tensor | None = None
    objective: Objective | None = None
    weight_decay: float = 0.0
    warnings: list[str] = field(default_factory=list)
    suggested: list[Tensor] = field(default_factory=list)

    @property
    def device(self) -> torch.device:
        """Where the model, all states and all examples are; `generator` draws on the CPU."""
        return self.train.inputs.device

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

    def auxiliary_models(self, need: str) -> Sequence[AuxiliaryModel]:
        """The further trained models of a need; raises HeftError where the method did not ask for them."""
        if need == "folds" and self.given_probabilities is not None:
            raise HeftError(
                "data.predictions is given, so that no folds are trained, but this method needs their states; leave "
                "one of both out."
            )
        if not self.auxiliary.get(need):
            raise HeftError(f'This method was given no further models "{need}"; it must declare that in `needs`.')
        return self.auxiliary[need]

    def out_of_fold_probabilities(self) -> Tensor:
        """What models predict that did not train on the example, float64 [n_train, n_classes] on the CPU: those of the
        need `folds`, or what a person gives; raises HeftError where the method did not ask for `folds`."""
        if self.given_probabilities is not None:
            return self.given_probabilities
        (inputs, labels), units, folds = self.train, self.train.units, self.auxiliary_models("folds")
        return out_of_fold_probabilities(self.network, folds, inputs, labels, self.n_classes, units)

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

    @property
    def chosen_objective(self) -> Objective:
        """The objective; raises HeftError where there is none."""
        if self.objective is None:
            raise HeftError("This method was given no objective.")
        return self.objective

    def objective_gradient(self, state: Mapping[str, Tensor], parameters: str = "all") -> dict[str, Tensor]:
        """v = grad f(state) on the validation split, one tensor for each selected parameter."""
        validation, names = self.trusted, self.parameter_names(parameters, state)
        return objective_gradient(self.chosen_objective, self.network, state, validation, names)

    def objective_value(self, state: Mapping[str, Tensor]) -> Tensor:
        """f(state) on the validation split."""
        return objective_value(self.chosen_objective, self.network, state, self.trusted)

    def warn(self, sentence: str) -> None:
        """Says in the log and in the report what a reader of the scores must know; without a full stop at the end."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def suggest(self, labels: Tensor) -> None:
        """Says which label the method would give each example, int64 [n_train]; `heft.suspects` shows it."""
        self.suggested[:] = [labels]

    def generator(self, name: str) -> torch.Generator:
        """A random stream of its own for this seed and name, the same on every call; on the CPU, so that all devices
        have the same numbers: move what is drawn to `device`."""
        digest = hashlib.sha256(f"{self.seed}/method/{name}".encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)

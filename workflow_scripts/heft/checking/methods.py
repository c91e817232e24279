"""Which methods and kinds of ensembles can run on a model: each is run on a few examples."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from heft.auxiliary.kinds import Kind, kinds_for
from heft.checking.finding import Finding
from heft.checking.short_eigenvectors import ShortEigenvectors
from heft.checking.subject import SEED, Subject
from heft.devices import CPU
from heft.ensembles.members import AuxiliaryRun, TrainedModels, dynamics_of, member
from heft.errors import HeftError
from heft.kernels.batch import Batch
from heft.methods.context import Context
from heft.objectives.declare import load_objective
from heft.persons_code import reason_of
from heft.registry import Declaration, declarations, find
from heft.training.checkpoints import Run, SavedState
from heft.training.loop import train_one

# Options that make a method long, at sizes at which it is short.
SHORT = {"models": 2, "dimension": 4, "rank": 2, "iterations": 4, "batch_size": 4}
OF_A_KIND = "ip"  # the method that kinds of ensembles are tried with

Chosen = tuple[str, Mapping[str, Any]]  # name and options
LOSS: Chosen = ("loss", {})


class ShortTraining:
    """A short training of the model, from which every method is given what it needs."""

    def __init__(self, subject: Subject, objective: Chosen) -> None:
        self.subject, self.model = subject, subject.fresh()
        examples, states = subject.examples, {}

        def keep(epoch: int, state: dict[str, torch.Tensor], step: int, learning_rate: float) -> None:
            states[epoch] = SavedState(epoch, step, learning_rate, state)

        both = Batch(examples.inputs, examples.labels, groups=torch.arange(len(examples), device=examples.device) % 2)
        self.base = Context(
            train=both,
            n_classes=subject.spec.n_classes,
            seed=SEED,
            model=self.model,
            validation=both,
            true_labels=examples.true_labels,
            objective=load_objective(*objective),
            weight_decay=0.005,
        )
        train_one(self.model, examples, subject.short_training, order_seed=SEED, after_epoch=keep)
        last = max(states)
        roles = {"final": [last], "spaced": [last - 1, last], "early": [1], "every": list(range(1, last + 1))}
        run = Run(states, roles)
        dynamics = dynamics_of(self.model, [states[epoch].state for epoch in roles["every"]], self.base)
        self.trained = TrainedModels(
            runs={0: run, 1: run},
            dynamics={0: dynamics, 1: dynamics},
        )

    def run(self, declared: Declaration, options: Mapping[str, Any], kind: str | None = None) -> Finding:
        """Whether the method gives usable scores at member 0, or at member 1 of a kind."""
        short = {option: SHORT[option] for option in declared.options if option in SHORT}
        number = 0 if kind is None else 1
        needs = declared.fields["needs"]
        name = kind or declared.name + "".join(f" {option} {value}" for option, value in options.items())
        try:
            further = {each.need: {0: self._further_models(each)} for each in kinds_for(needs).values()}
            context = member(self.base, needs, replace(self.trained, auxiliary=further), number, kind)
            with ShortEigenvectors():
                scores = declared.configured({**options, **short})(context)
            if tuple(scores.shape) != (len(self.base.train.labels),) or not scores.isfinite().all():
                return Finding(name, f"its scores, of shape {list(scores.shape)}, are not finite or not one an example")
        except HeftError as error:
            return Finding(name, str(error).removesuffix("."))
        except Exception as error:  # of a method: a table that ends here would tell less
            return Finding(name, reason_of(error))
        return Finding(name)

    def _further_models(self, kind: Kind) -> list[AuxiliaryRun]:
        """The same run in the place of one or two further models, which together hold out each example once."""
        n = 1 if kind.models == 1 else 2
        number_of = torch.arange(len(self.subject.examples), device=CPU) % n
        return [AuxiliaryRun(self.trained.runs[0], number_of == number) for number in range(n)]


def methods_that_run(
    subject: Subject, chosen: Iterable[Chosen], kinds: Sequence[str], objective: Chosen = LOSS
) -> tuple[list[Finding], list[Finding]]:
    """A finding for each of the methods with their options, under the objective, and one for each kind of ensemble."""
    training = ShortTraining(subject, objective)
    of_methods = [training.run(find("methods", name), options) for name, options in chosen]
    return of_methods, [training.run(find("methods", OF_A_KIND), {}, kind) for kind in kinds]


def all_methods() -> list[Chosen]:
    """Every registered method at its defaults."""
    return [(name, {}) for name in declarations("methods")]


def takes_hessians(chosen: Iterable[Chosen]) -> bool:
    """Whether one of the methods takes products with the Hessian, as its options are."""
    taking = [
        (declared, options) for name, options in chosen if "curvature" in (declared := find("methods", name)).options
    ]
    return any(declared.value_of("curvature", options) == "hessian" for declared, options in taking)

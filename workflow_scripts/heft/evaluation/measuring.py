"""What is measured of one trained model: columns of the comparison table, and numbers in long form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from torch import Tensor, nn

from heft.data.examples import Examples
from heft.errors import HeftError
from heft.evaluation.columns import CLASS_ACCURACY, COLUMNS, DIVERGED, LOSS, validation_metric
from heft.evaluation.metrics.declare import Measured, Predicted
from heft.kernels.batch import Batch
from heft.objectives.declare import load_objective
from heft.objectives.gradient import objective_value
from heft.registry import Declaration, declarations, find
from heft.training.dynamics import loss_and_accuracy, predict


@dataclass(frozen=True)
class Numbers:
    """Columns and long form of one model; validation: the value of each objective on that split, lower is better."""

    columns: dict[str, float | None]
    long: dict[str, float]
    validation: dict[str, float] = field(default_factory=dict)

    def without_validation(self) -> "Numbers":
        """The same of a model that was trained on the validation split, of which it therefore says nothing."""
        told = {validation_metric(name) for name in self.validation}
        long = {name: value for name, value in self.long.items() if name not in told}
        return Numbers({**self.columns, "val_loss": None}, long)


@dataclass(frozen=True)
class Judge:
    """The measure that an experiment is judged by: a registered name or a person's own, and its options.

    objectives: {name: options} of objectives that are measured with options other than their defaults.
    """

    name: str = "test_accuracy"
    options: Mapping[str, Any] = field(default_factory=dict)
    objectives: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def objective(self) -> str:
        """Name of the objective by whose lowest value on the validation split a row is chosen."""
        chosen_by: str = find("evaluation/metrics", self.name).fields["chosen_by"]
        return chosen_by

    def check(self, has_groups: bool) -> None:
        """Raises HeftError where the data lack what the measure, or its objective, needs."""
        for declaration in (find("evaluation/metrics", self.name), find("objectives", self.objective)):
            if not _has_its_needs(declaration, has_groups):
                raise HeftError(
                    f"The experiment is judged by {self.name}, but the {declaration.word} {declaration.name} needs the "
                    "group of each example; the data have no groups."
                )


TEST_ACCURACY = Judge()


def numbers_of(
    model: nn.Module,
    state: dict[str, Tensor],
    train: Examples,
    validation: Examples,
    test: Examples,
    judge: Judge = TEST_ACCURACY,
) -> Numbers:
    """All registered measures and objectives of a model, and those of the judge; of one that diverged, that it did.

    A model whose loss on validation or test is not finite has diverged. Raises HeftError where a measure or an
    objective is not finite though the model did not diverge.
    """
    given = Measured(model, state, *(_predicted(model, state, split) for split in (train, validation, test)))
    of_train, of_validation, of_test = (
        loss_and_accuracy(split.logits, split.labels) for split in (given.train, given.validation, given.test)
    )
    if not (isfinite(of_validation[0]) and isfinite(of_test[0])):
        return Numbers({}, {DIVERGED: 1})
    objectives, measures = {LOSS: of_validation[0], **_objectives_of(given, judge)}, _measures_of(given, judge)
    columns: dict[str, float | None] = {"val_loss": of_validation[0], "test_loss": of_test[0]}
    columns |= {name: value for name, value in measures.items() if name in COLUMNS}
    long = {"validation_accuracy": of_validation[1], "train_accuracy": of_train[1]}
    if isfinite(of_train[0]):  # which a removed example, too, decides
        long["train_loss"] = of_train[0]
    long |= {validation_metric(name): value for name, value in objectives.items() if name != LOSS}
    long |= {name: value for name, value in measures.items() if name not in COLUMNS}
    return Numbers(columns, long | accuracy_by_class(given.test.logits, given.test.labels), objectives)


def accuracy_by_class(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """test_accuracy_class_{index}: share of a class's examples that are predicted as it; of classes with examples.

    logits: [n, n_classes]. labels: [n]. The report names the classes: names of metrics do not depend on data.
    """
    right = (logits.argmax(1) == labels).float()
    return {
        f"{CLASS_ACCURACY}{index}": float(right[labels == index].mean())
        for index in labels.unique(sorted=True).tolist()
    }


def _predicted(model: nn.Module, state: dict[str, Tensor], split: Examples) -> Predicted:
    """What leaves for the tables is on the CPU; the inputs stay beside the model, for a measure that runs it."""
    groups = None if split.groups is None else split.groups.cpu()
    return Predicted(split.inputs, split.labels.cpu(), predict(model, state, split.inputs).cpu(), groups)


def _measures_of(given: Measured, judge: Judge) -> dict[str, float]:
    asked = {name: declaration.load() for name, declaration in _computable("evaluation/metrics", given.test).items()}
    asked[judge.name] = find("evaluation/metrics", judge.name).configured(judge.options)
    return {name: _finite("measure", name, float(measure(given))) for name, measure in asked.items()}


def _objectives_of(given: Measured, judge: Judge) -> dict[str, float]:
    """All but the loss, which `loss_and_accuracy` gives already."""
    split = given.validation
    batch = Batch(split.inputs, split.labels, split.groups).to(split.inputs.device)
    names = [name for name in {**_computable("objectives", split), judge.objective: None} if name != LOSS]
    chosen = {name: load_objective(name, judge.objectives.get(name)) for name in names}
    return {
        name: _finite("objective", name, float(objective_value(objective, given.model, given.state, batch)))
        for name, objective in chosen.items()
    }


def _computable(room: str, split: Predicted) -> dict[str, Declaration]:
    """The declarations of a room whose needs the data meet."""
    return {
        name: declaration
        for name, declaration in declarations(room).items()
        if _has_its_needs(declaration, split.groups is not None)
    }


def _has_its_needs(declaration: Declaration, has_groups: bool) -> bool:
    return has_groups or "groups" not in declaration.fields["needs"]


def _finite(what: str, name: str, value: float) -> float:
    if not isfinite(value):
        raise HeftError(f"The {what} {name} of a model whose loss is finite is {value}; it must be a finite number.")
    return value

"""What a report is made of, as plain values: the stage script fills it, everything in this room reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pandas as pd

from heft.reporting.measure import Measure
from heft.reporting.treatment import Action

AGREEMENT_COLUMNS = ("seed", "variant", "other", "spearman")


class MethodDeclaration(Protocol):
    """What the legend reads of a method; `heft.registry.Declaration` fits.

    fields: formula, paper, predicts, needs, ensemble, as the method's decorator says them.
    options: name -> something with `annotation` and `default`.
    """

    @property
    def name(self) -> str: ...
    @property
    def docstring(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def fields(self) -> Mapping[str, Any]: ...
    @property
    def options(self) -> Mapping[str, Any]: ...


class ShownExample(Protocol):
    """picture: a data URI of a PNG, or None. values: a name and a value each. text: what was written, or None."""

    @property
    def picture(self) -> str | None: ...
    @property
    def values(self) -> Sequence[tuple[str, str]]: ...
    @property
    def text(self) -> str | None: ...


class ShowsExamples(Protocol):
    """What shows examples to a person; `heft.data.modalities.declare.Modality` fits."""

    def show(self, inputs: Any, rows: Sequence[int]) -> Sequence[ShownExample]: ...


@dataclass(frozen=True)
class SplitFacts:
    """What the splits of this experiment are; one per experiment (counts are the same for every seed).

    n: examples in train, validation and test. noise_rate: fraction of training labels known to be wrong, None where
    true labels are not known. resample: what a seed draws anew, of split, noise, init. label_issues: a sentence about
    labels that contradict each other whatever a model says, empty where there are none. notes: sentences about what
    the splits are and a reader may not expect. trust: on labels of validation and test that nobody has checked.
    shared_label_issues, shared_notes: the same sentences with pseudonyms of ids.
    """

    n: Mapping[str, int]
    noise_kind: str
    noise_rate: float | None
    resample: Sequence[str] = ("split", "noise", "init")
    label_issues: str = ""
    notes: Sequence[str] = ()
    trust: str = ""
    shared_label_issues: str = ""
    shared_notes: Sequence[str] = ()


@dataclass(frozen=True)
class TrainingExamples:
    """The training split of one seed, for the gallery.

    examples: columns id, label, true_label (integers; true_label may be missing or empty), in training order.
    scores: column id and one column per variant; low is detrimental; any order.
    inputs: [n, ...] or n texts, row k belongs to examples row k, and may be read only when it is
    shown; None where there is nothing to show.
    modality: shows rows of `inputs`.
    """

    seed: int
    examples: pd.DataFrame
    scores: pd.DataFrame
    inputs: Any = None
    modality: ShowsExamples | None = None


@dataclass(frozen=True)
class MissingCell:
    """A variant and seed that were to be evaluated and are not; `reason` is a sentence without a full stop."""

    seed: int
    variant: str
    method: str
    reason: str
    ensemble: str = ""
    members: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Warned:
    """What is to be known of a variant's scores or removals, for one seed; a sentence without a full stop."""

    seed: int
    variant: str
    sentence: str


@dataclass(frozen=True)
class ReportInput:
    """One experiment's results.

    comparison: the columns of heft.evaluation.columns, one row per seed x variant x action x fraction, `none` included.
    long_metrics: the key's columns, metric, value; written to metrics.csv as it is.
    measure: what the report judges by. actions: by their value of the column `action`, in the order of the page.
    history: seed, run, epoch, train_loss, train_accuracy, validation_loss, validation_accuracy (others unused).
    precision_recall: seed, variant, recall, precision; empty where true labels are unknown.
    manifest: the data's manifest.json (source, origin, licence, files {name: sha256}, n, class_names, dataset_digest,
    skipped, notes); where there is one also `encoder` (name, width, origin, licence).
    methods: declarations by name, as `heft.registry.declarations("methods")` returns them.
    configuration: the experiment's resolved configuration as YAML text.
    baselines: the same of the room `baselines`: other trainings, with the fields title, paper, does.
    agreement: seed, variant, other, spearman: how alike two variants rank the training examples.
    warnings: what methods said of their own scores, and what removals take away.
    missing: what an unfinished run lacks; the page says so at its top.
    show_examples: whether the gallery shows what the examples are, not only their ids.
    commit: the commit, "unknown" where there is none. versions: package -> version. machine: fact -> value.
    """

    experiment: str
    comparison: pd.DataFrame
    long_metrics: pd.DataFrame
    history: pd.DataFrame
    precision_recall: pd.DataFrame
    measure: Measure
    actions: Mapping[str, Action]
    split: SplitFacts
    manifest: Mapping[str, Any]
    methods: Mapping[str, MethodDeclaration]
    configuration: str
    commit: str
    versions: Mapping[str, str]
    machine: Mapping[str, str]
    training: TrainingExamples | None = None
    baselines: Mapping[str, MethodDeclaration] = field(default_factory=dict)
    agreement: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(AGREEMENT_COLUMNS)))
    warnings: Sequence[Warned] = ()
    missing: Sequence[MissingCell] = ()
    show_examples: bool = True

    @property
    def is_personal(self) -> bool:
        """Whether the data are a person's own, and not a public data set."""
        return bool(self.manifest.get("personal", False))

    def with_pseudonyms(self) -> "ReportInput":
        """The same without ids and names of files in what is said of splits and files; the training examples stay."""
        split = replace(self.split, label_issues=self.split.shared_label_issues, notes=self.split.shared_notes)
        digests = self.manifest.get("files", {}).values()
        files = {f"file {place} of {len(digests)}": digest for place, digest in enumerate(digests, start=1)}
        return replace(self, split=split, manifest={**self.manifest, "files": files})

    @property
    def tracking_filter(self) -> str:
        """The filter that shows this table's rows in the MLflow UI."""
        return f"tags.stage = 'evaluate' and tags.superseded = 'false' and params.experiment = '{self.experiment}'"

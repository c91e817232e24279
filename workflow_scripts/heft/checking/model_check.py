"""Everything that is checked of a model, as one result."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from heft.checking.derivatives import DIFFERENTIATED, FORWARD, forward_agrees, hessian_agrees
from heft.checking.facts import facts_of
from heft.checking.finding import Finding
from heft.checking.methods import LOSS, Chosen, methods_that_run, takes_hessians
from heft.checking.subject import Subject, subject_of
from heft.checking.training import ALONE, TOGETHER, trains_alone, trains_together
from heft.checking.whole_state import WHOLE, state_is_whole
from heft.devices import CPU
from heft.models.build import ModelSpec
from heft.persons_code import reason_of

BUILT = "each example by itself, the same at each call, with gradients"


@dataclass(frozen=True)
class ModelCheck:
    """What was found of a model that could be built: facts, what has to hold, and where it does, what can run."""

    spec: ModelSpec
    facts: Mapping[str, int]
    findings: Sequence[Finding]
    methods: Sequence[Finding]
    kinds: Sequence[Finding]

    @property
    def mistake(self) -> str:
        """A sentence on the first thing that does not hold; nothing where all of it does."""
        wrong = next((finding for finding in self.findings if not finding.holds), None)
        return f'model {self.spec.name}: "{wrong.what}" does not hold: {wrong.reason}.' if wrong else ""

    @property
    def cannot(self) -> list[str]:
        """A sentence on each method and kind of ensemble that cannot run."""
        tried = [("method", self.methods), ("ensemble kind", self.kinds)]
        return [
            f"{word} {finding.what} cannot run on model {self.spec.name}: {finding.reason}."
            for word, findings in tried
            for finding in findings
            if not finding.holds
        ]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "model": self.spec.as_json(),
            "facts": dict(self.facts),
            "findings": [asdict(finding) for finding in self.findings],
            "methods": [asdict(finding) for finding in self.methods],
            "kinds": [asdict(finding) for finding in self.kinds],
        }


def check_model(
    spec: ModelSpec,
    methods: Iterable[Chosen],
    kinds: Sequence[str],
    inputs: Tensor | None = None,
    objective: Chosen = LOSS,
    device: torch.device = CPU,
) -> ModelCheck:
    """Builds the model and tries everything on a few examples, on the device: random ones, or these inputs
    [n, *input_shape].

    Hessian products are looked at where one of the methods takes them. Raises HeftError where the model is not sound.
    """
    subject, methods = subject_of(spec, inputs, device), list(methods)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        findings = [
            Finding(BUILT),
            *_tried(WHOLE, state_is_whole, subject),
            *_tried(ALONE, trains_alone, subject),
            *_tried(TOGETHER, trains_together, subject),
            *_tried(FORWARD, forward_agrees, subject),
            *(_tried(DIFFERENTIATED, hessian_agrees, subject) if takes_hessians(methods) else []),
        ]
        sound = all(finding.holds for finding in findings)
        of_methods, of_kinds = methods_that_run(subject, methods, kinds, objective) if sound else ([], [])
    return ModelCheck(spec, facts_of(subject), findings, of_methods, of_kinds)


def _tried(what: str, check: Callable[[Subject], Finding | list[Finding]], subject: Subject) -> list[Finding]:
    """What a check found; what it raises is a reason why it does not hold."""
    try:
        answer = check(subject)
    except Exception as error:
        return [Finding(what, reason_of(error))]
    return answer if isinstance(answer, list) else [answer]

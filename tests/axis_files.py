"""One new file for each room of the library, whose names are known nowhere else."""

from axis_data_files import ENCODER, MODALITY, MODEL, SOURCE
from axis_files_of_training import OF_TRAINING

AUXILIARY = '''"""partials: models that are each trained without one third of the data."""

import torch

from heft.auxiliary.declare import auxiliary
from heft.auxiliary.training import VARIES, Auxiliary
from heft.seeds import run_seeds
from heft.training.runs import train_runs


@auxiliary(gives="further models without a third", need="partials", models="partials", group_size=2)
class Partials(Auxiliary):
    def train(self, context, numbers):
        return train_runs(
            context.spec,
            context.train,
            context.validation,
            context.training,
            {number: run_seeds(context.seed, number, VARIES) for number in numbers},
            weights=self.weights(context, numbers),
        )

    def held_out(self, labels, units, seed, number):
        return torch.arange(len(labels)) % 3 == number % 3
'''

METHOD = '''"""unseen_loss: minus the mean loss under the models that did not see it, better ones count more."""

from typing import Annotated

import torch
from annotated_types import Ge
from torch.nn.functional import cross_entropy

from heft.kernels.functional import logits_of
from heft.methods.declare import method


@method(
    title="Unseen loss",
    formula="s_i = -mean_m l_i(theta_m), weighted by exp(-f(theta_m))",
    paper="none: written for a test",
    predicts="How well models that never saw the example fit it.",
    needs=("partials", "validation"),
    ensemble=True,
)
def unseen_loss(context, *, partials: Annotated[int, Ge(3)] = 3):
    total, count = torch.zeros(2, len(context.train.labels), dtype=torch.float64)
    for state, held_out in context.auxiliary_models("partials"):
        logits = logits_of(context.network, state, context.train.inputs)
        weight = held_out * torch.exp(-context.objective_value(state)).double()
        total += cross_entropy(logits, context.train.labels, reduction="none").double() * weight
        count += weight
    return -total / count
'''

ENSEMBLE = '''"""swollen: members are the trained model with all its parameters a little larger."""

from heft.ensembles.declare import ensemble
from heft.ensembles.member import MemberModel


@ensemble(title="swollen weights", members="the trained model with larger parameters", perturbs=True)
def swollen(trained, number, *, growth: float = 0.05) -> MemberModel:
    names = {name for name, _ in trained.parameters}
    factor = (1 + growth) ** number
    return MemberModel(change=lambda state: {name: x * factor if name in names else x for name, x in state.items()})
'''

OBJECTIVE = '''"""smoothed_loss: mean cross-entropy to labels of which a share is spread over all classes."""

from torch.nn.functional import cross_entropy

from heft.objectives.declare import objective
from heft.objectives.logits import differentiable_logits


@objective(title="Smoothed loss", formula="f = (1/m) sum_j H(q_j, p_j)", mean_over_examples=True)
def smoothed_loss(model, state, batch, *, smoothing: float = 0.1):
    logits = differentiable_logits(model, state, batch.inputs)
    return cross_entropy(logits, batch.labels, label_smoothing=smoothing)
'''

ACTION = '''"""spare: removes the lowest-scored examples but every so many, by how much others believe their labels."""

from typing import Annotated

import numpy as np
from annotated_types import Ge

from heft.curation.declare import Curated, action


@action(
    title="Spare some",
    verb="thin out",
    gerund="thinning out",
    participle="thinned out",
    noun="thinning",
    does="Removes the lowest-scored fraction but spares some of it.",
    changes=("kept",),
    needs=("partials",),
)
def spare(context, *, every: Annotated[int, Ge(2)] = 2, partials: Annotated[int, Ge(3)] = 3) -> Curated:
    believed = context.held_out_probabilities("partials")[np.arange(len(context.labels)), context.labels]
    rows = context.lowest[np.argsort(believed[context.lowest])]
    return context.curated(kept=~np.isin(np.arange(len(context.labels)), np.delete(rows, np.s_[::every])))
'''

MEASURE = '''"""regret: mean probability of the classes that are not the label, where that is large."""

from heft.evaluation.metrics.declare import measure


@measure(title="Mean regret", unit="", higher_is_better=False, chosen_by="smoothed_loss")
def regret(measured, *, above: float = 0.0) -> float:
    test = measured.test
    wrong = 1 - test.logits.softmax(dim=1).gather(1, test.labels[:, None])[:, 0]
    return float((wrong * (wrong >= above)).mean())
'''

# Room -> the file's name, its text, and the names of its options.
NEW: dict[str, tuple[str, str, set[str]]] = {
    **OF_TRAINING,
    "data/modalities": ("waves", MODALITY, {"rate"}),
    "data/sources": ("tones", SOURCE, {"spread"}),
    "data/encoders": ("spectrum", ENCODER, {"lowest"}),
    "models": ("wave_net", MODEL, {"width"}),
    "auxiliary": ("partials", AUXILIARY, set()),
    "methods": ("unseen_loss", METHOD, {"partials"}),
    "ensembles": ("swollen", ENSEMBLE, {"growth"}),
    "objectives": ("smoothed_loss", OBJECTIVE, {"smoothing"}),
    "curation": ("spare", ACTION, {"every", "partials"}),
    "evaluation/metrics": ("regret", MEASURE, {"above"}),
}

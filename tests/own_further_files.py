"""Files of a person's own kind of further models and modality, and of what uses them."""

from pathlib import Path

KINDS = '''"""Kinds of my own."""

import torch
from my_draws import drawn

from heft.auxiliary.declare import auxiliary
from heft.auxiliary.training import VARIES, Auxiliary
from heft.seeds import run_seeds
from heft.training.runs import train_runs


@auxiliary(gives="models of bags, as I draw them", models="bags", group_size=2)
class Bags(Auxiliary):
    def train(self, context, numbers):
        seeds = {number: run_seeds(context.seed, number, VARIES) for number in numbers}
        weights = self.weights(context, numbers)
        return train_runs(context.spec, context.train, context.validation, context.training, seeds, weights=weights)

    def held_out(self, labels, units, seed, number):
        return ~drawn(len(labels), number)


class Undecorated:
    pass
'''
DRAWS = """import torch


def drawn(n, number):
    return torch.arange(n) % 2 == number % 2
"""
SCORES = '''"""Scores of my own."""

from heft.kernels.functional import logits_of
from heft.methods.declare import method


@method(title="Out of bag", formula="f", paper="none", predicts="As I see it.", needs=("my_kinds:Bags",), ensemble=True)
def out_of_bag(context, *, bags: int = 3):
    inputs, network = context.train.inputs, context.network
    models = context.auxiliary_models("my_kinds:Bags")
    return sum(logits_of(network, model.state, inputs).var(1) * model.held_out for model in models)
'''
ACTIONS = '''"""Actions of my own."""

import numpy as np

from heft.curation.declare import Curated, action


@action(
    title="Unbag", verb="unbag", gerund="unbagging", participle="unbagged", noun="unbagging", does="Unbags.",
    changes=("kept",), needs=("my_kinds:Bags",),
)
def unbag(context, *, bags: int = 4) -> Curated:
    sure = context.held_out_probabilities("my_kinds:Bags").max(axis=1)
    return context.curated(kept=~np.isin(np.arange(len(sure)), context.lowest[sure[context.lowest] < 2]))
'''
MEMBERS = '''"""Ensembles of my own."""

from heft.ensembles.declare import ensemble
from heft.ensembles.member import MemberModel


@ensemble(title="bagged", members="models of bags, as I draw them", runs="my_kinds:Bags")
def bagged(trained, number):
    return MemberModel(run=number)
'''
MODALITY = '''"""Modalities of my own."""

from heft.data.modalities.declare import Modality, Shown, modality


@modality(axes=["bands", "bins"])
class Spectra(Modality):
    def facts(self, input_shape):
        return {}

    def batch(self, rows):
        return rows * 2

    def show(self, inputs, rows):
        return [Shown(values=[("peak", f"bin {int(inputs[row].argmax())} of my spectrum")]) for row in rows]
'''
SOURCE = '''"""Sources of my own."""

import numpy as np
from my_modality import Spectra

from heft.data.sources.declare import RawData


def load():
    generator = np.random.default_rng(0)
    labels = np.arange(200) % 2
    inputs = generator.standard_normal((200, 2, 5)) + labels[:, None, None]
    return RawData(inputs.astype(np.float32), labels, modality=Spectra())
'''
FILES = {"my_kinds": KINDS, "my_draws": DRAWS, "my_scores": SCORES, "my_actions": ACTIONS}
FILES |= {"my_members": MEMBERS, "my_modality": MODALITY, "my_source": SOURCE}


def write_files(folder: Path) -> None:
    for name, text in FILES.items():
        (folder / f"{name}.py").write_text(text)

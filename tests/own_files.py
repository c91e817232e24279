"""Files of a person's own functions, and a configuration that names them."""

import copy
from pathlib import Path
from typing import Any

from workspace import TINY

from heft.workflow.planning.plan import Plan, load_plan

SCORES = '''"""Scores of my own."""

from typing import Annotated

from annotated_types import Gt
from my_helpers import SIGN
from torch import Tensor

from heft.kernels.functional import logits_of
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    title="My norm",
    formula="s_i = -|z_i(theta)|^power",
    paper="none: a test",
    predicts="How long the logits of an example are, as I see it.",
    needs=("final",),
    ensemble=True,
)
def norms(context: Context, *, power: Annotated[float, Gt(0)] = 1.0) -> Tensor:
    """Minus the lengths [n_train]."""
    return SIGN * logits_of(context.network, context.final, context.train.inputs).norm(dim=1) ** power


def plain(context):
    """Carries no decorator."""
'''


BASELINES = '''"""Baselines of my own."""

from heft.baselines.declare import baseline


@baseline(title="As it was", paper="none", does="Nothing at all, as I see it.", trains_on_validation=False)
def unchanged(context):
    """The base model."""
    return dict(context.base)
'''


KINDS = '''"""Kinds of my own."""

from typing import Annotated

from annotated_types import Gt

from heft.ensembles.declare import ensemble
from heft.ensembles.member import MemberModel


@ensemble(title="scaled", members="the trained model, all parameters times 1 + rate", perturbs=True)
def scaled(trained, number, *, rate: Annotated[float, Gt(0)] = 0.5):
    """Larger with each member."""
    return MemberModel(change=lambda state: {name: (1 + number * rate) * tensor for name, tensor in state.items()})
'''


def write_files(folder: Path) -> None:
    (folder / "my_package").mkdir()
    (folder / "my_package/scores.py").write_text(SCORES)
    (folder / "my_helpers.py").write_text("SIGN = -1\n")
    (folder / "my_baselines.py").write_text(BASELINES)
    (folder / "my_kinds.py").write_text(KINDS)


def settings(**changes: Any) -> dict[str, Any]:
    configuration: dict[str, Any] = copy.deepcopy(TINY)
    configuration["definitions"]["small"] |= changes
    return configuration


def planned(folder: Path, **changes: Any) -> Plan:
    return load_plan(settings(**changes), [folder / "mine.yaml"])

"""What the scripts hand from files to functions: splits, seeds, settings, weight decay; from training to the table."""

from dataclasses import asdict
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from attribution_cases import Case
from kernel_cases import dense_gauss_newton
from plain_training import (
    SETTINGS,
    SPEC,
    cosine_rates,
    difference,
    plain_logits,
    plain_training,
    start_of,
)
from stage_chain import SPLITS, Chain, write_data
from torch import Tensor
from torch.nn.functional import cross_entropy

from heft.auxiliary.folds import draw_folds
from heft.auxiliary.subsets import Subsets
from heft.data.examples import Examples
from heft.errors import HeftError
from heft.kernels.batch import Batch
from heft.kernels.curvature.curvature_operator import flatten
from heft.seeds import derive_seed

MODEL = {"name": "mlp", "options": SPEC.options}


SEED, DAMPING, FRACTIONS = 4, 0.1, [0.2, 0.4]


SCORER = {"method": "if_cg", "options": {"damping": DAMPING, "tolerance": 1e-6}}


SCORER |= {"ensemble": "", "ensemble_options": {}, "members": 1}  # type: ignore[dict-item]


TRAINED_BY = {name: value for name, value in asdict(SETTINGS).items() if name != "workers"}
TRAINING = {"training": TRAINED_BY, "model": MODEL, "resample": ["split", "noise", "init"]}


FINE_TUNING = {"fine_tuning": {"epochs": 2, "learning_rate": 0.03}}


KEPT = {"checkpoints": {"final": "last", "spaced": 2, "early": 1}, "kept": {"roles": ("final", "spaced"), "latest": 0}}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    folder = tmp_path_factory.mktemp("chain")
    chain = Chain(folder, write_data(folder))
    states = {"states": "train/states.safetensors", "history": "train/history.parquet", "dynamics": "train/d.parquet"}
    chain.run("train", {}, states, TRAINING)
    chain.run("checkpoint", {"facts": "train/states.json", "history": "train/history.parquet"},
              {"facts": "checkpoints/checkpoints.json"}, KEPT)  # fmt: skip
    none: dict[str, Any] = {"auxiliary": [], "probabilities": [], "dynamics": []}
    chain.run("score_members", {"checkpoints": "checkpoints/checkpoints.json", **none},
              {"scores": "members.parquet", "cost": "cost.json"},
              {"scorer": SCORER, "weight_decay": SETTINGS.weight_decay, "optimiser": "sgd",
               "objective": {"name": "loss", "options": {}}}, m="if_cg")  # fmt: skip
    chain.run("score", {"scores": "members.parquet", "cost": "cost.json"},
              {"scores": "scores.parquet", "cost": "scores.cost.json"},
              {"variant": {"method": "if_cg", "members": 1}, "scorer": "if_cg"}, v="if_cg")  # fmt: skip
    chain.run("prune", {"scores": "scores.parquet", "classes": "data/manifest.json"},
              {"plan": "plan.parquet"},
              {"fractions": FRACTIONS, "actions": ["remove"], "probabilities": {},
               "sees_true_labels": False}, v="if_cg")  # fmt: skip
    chain.run("retrain", {"plan": "plan.parquet"}, {"states": "retrained.safetensors", "cost": "retrained.json"},
              TRAINING, v="if_cg")  # fmt: skip
    variant = {"method": "if_cg", "ensemble": "", "members": 1, "options": {}, "trains_on_validation": False}
    chain.run("evaluate", {"states": "retrained.safetensors", "plan": "plan.parquet", "scores": "scores.parquet",
                           "retrain_cost": "retrained.json", "score_cost": "scores.cost.json"},
              {"metrics": "metrics.json"},
              {"model": MODEL, "variant": variant, "baseline": False, "measure": {"name": "test_accuracy"},
               "actions": ["remove"], "further_costs": {}},
              v="if_cg")  # fmt: skip
    return chain


@cache
def base_by_hand() -> dict[str, Tensor]:
    train = SPLITS["train"]
    start, order = start_of(derive_seed(SEED, "init", "parameters")), derive_seed(SEED, "init", "order")
    return plain_training(start, train.inputs, train.labels, order, cosine_rates(SETTINGS, 3))


def tuned_by_hand() -> dict[str, Tensor]:
    split, order = SPLITS["validation"], derive_seed(SEED, "init", "order")
    return plain_training(base_by_hand(), split.inputs, split.labels, order, [0.03] * 4)


def scores_by_hand(weight_decay: float) -> np.ndarray:
    """Influences of the trained model by a dense solve in float64."""
    state = {name: tensor.double() for name, tensor in base_by_hand().items()}
    batches = [Batch(split.inputs.double(), split.labels) for split in (SPLITS["train"], SPLITS["validation"])]
    case = Case(SPEC.build(0).double(), state, *batches, SPLITS["train"].true_labels, [state])
    matrix = dense_gauss_newton(case)
    shift = weight_decay + DAMPING * torch.linalg.eigvalsh(matrix).max()
    solved = torch.linalg.solve(matrix + shift * torch.eye(len(matrix)), flatten(case.objective_gradient()))
    gradients = case.gradients()
    return (torch.cat([gradients[name].flatten(1) for name in state], dim=1) @ solved).numpy()


def test_the_model_is_trained_on_the_training_split_with_the_settings_and_streams_of_its_seed(chain: Chain) -> None:
    states = chain.read("checkpoints/states.safetensors")
    final = {name.removeprefix("0/3/"): tensor for name, tensor in states.items() if name.startswith("0/3/")}
    assert difference(final, base_by_hand()) < 1e-5
    assert {name.split("/")[1] for name in states} == {"2", "3"}


def test_influences_have_the_weight_decay_of_training_in_their_damping(chain: Chain) -> None:
    scores = chain.read("scores.parquet").set_index("id")["score"].loc[SPLITS["train"].ids].to_numpy()
    expected = scores_by_hand(SETTINGS.weight_decay)
    assert abs(scores - expected).max() < 0.005 * abs(expected).max()
    assert abs(scores - scores_by_hand(0.0)).max() > 0.03 * abs(expected).max()


def test_the_lowest_scores_leave_and_the_table_measures_on_the_split_that_it_names(chain: Chain) -> None:
    scores = scores_by_hand(SETTINGS.weight_decay)
    train, start = SPLITS["train"], start_of(derive_seed(SEED, "init", "parameters"))
    for fraction, row in zip(FRACTIONS, chain.read("metrics.json")["rows"], strict=True):
        kept = torch.from_numpy(np.argsort(np.argsort(scores)) >= round(fraction * len(train))).float()
        order, rates = derive_seed(SEED, "init", "order"), cosine_rates(SETTINGS, 3)
        state = list(plain_training(start, train.inputs, train.labels, order, rates, weights=kept).values())
        losses = {
            name: float(cross_entropy(plain_logits(state, split.inputs), split.labels))
            for name, split in SPLITS.items()
        }
        assert row["n_removed"] == int((kept == 0).sum())
        assert (row["val_loss"], row["test_loss"]) == pytest.approx((losses["validation"], losses["test"]), rel=1e-4)
        assert len({round(loss, 3) for loss in losses.values()}) == 3
        assert (row["experiment"], row["seed"], row["variant"]) == ("mine", SEED, "if_cg")
        assert row["retrain_cpu_seconds"] > 0
        assert row["score_cpu_seconds"] > 0


def further(chain: Chain, kind: str, numbers: list[int], *continued: str) -> dict[str, Tensor]:
    """States of the first group of further models of a kind."""
    files: Any = {"continued": [str(chain.folder / file) for file in continued]}
    output = {"facts": f"{kind}/checkpoints.json", "history": f"{kind}/h.parquet", "dynamics": f"{kind}/d.parquet"}
    chain.run("auxiliary", files, output, TRAINING | KEPT | FINE_TUNING | {"numbers": numbers}, kind=kind, g="0")
    return chain.read(f"{kind}/states.safetensors")


def state_in(states: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in states.items() if name.startswith(prefix)}


def test_fine_tuning_goes_on_from_the_base_model_on_validation_as_member_and_as_baseline(chain: Chain) -> None:
    assert (
        difference(state_in(further(chain, "fine_tunes", [0], "checkpoints/checkpoints.json"), "0/2/"), tuned_by_hand())
        < 1e-5
    )
    chain.run("baseline", {"checkpoints": "checkpoints/checkpoints.json"},
              {"states": "tuned.safetensors", "cost": "tuned.json"},
              TRAINING | FINE_TUNING | {"variant": {"method": "finetuned", "options": {}}}, v="finetuned")  # fmt: skip
    assert difference(state_in(chain.read("tuned.safetensors"), "unpruned-0/"), tuned_by_hand()) < 1e-5


def test_a_fold_of_the_auxiliary_stage_leaves_its_part_of_the_training_split_out(chain: Chain) -> None:
    train: Examples = SPLITS["train"]
    weights = (draw_folds(train.labels, train.units, SEED, 0) != 3).float()
    start, order = start_of(derive_seed(SEED, "init", "parameters")), derive_seed(SEED, "init", "order")
    expected = plain_training(start, train.inputs, train.labels, order, cosine_rates(SETTINGS, 3), weights=weights)
    assert difference(state_in(further(chain, "folds", [0, 1, 2, 3, 4]), "3/3/"), expected) < 1e-5


def test_an_actions_probabilities_are_those_of_the_models_of_its_kind_that_it_asked_for(chain: Chain) -> None:
    train, n = SPLITS["train"], 8
    states = further(chain, "subsets", list(range(n + 2)))  # a group may hold more than an action asks for
    halves = Chain(chain.folder, chain.data | {"auxiliary": [str(chain.folder / "subsets/checkpoints.json")]})
    output = {"probabilities": "halves.parquet", "cost": "halves.json"}
    held = torch.stack([Subsets().held_out_of(train, SEED, number) for number in range(n)])
    never = int((~held[:2].any(dim=0)).nonzero()[0])
    with pytest.raises(HeftError, match=f"training example {never} is held out by none of the 2 models"):
        halves.run("out_of_fold", {}, output, {"predictions": {}}, kind="subsets", n="2")
    halves.run("out_of_fold", {}, output, {"predictions": {}}, kind="subsets", n=str(n))
    table = chain.read("halves.parquet").set_index("id").loc[train.ids].to_numpy()
    of_each = [[states[f"{number}/3/{name}"] for name in start_of(0)] for number in range(n)]
    each = torch.stack([plain_logits(state, train.inputs).double().softmax(dim=1) for state in of_each])
    for row in range(len(train)):
        assert table[row] == pytest.approx(each[held[:, row], row].mean(dim=0).numpy(), rel=1e-5)
    trained = chain.read("subsets/checkpoints.json")["runs"]
    assert chain.read("halves.json")["training_cpu_seconds"] == pytest.approx(
        sum(trained[str(number)]["cpu_seconds"] for number in range(n))
    )

"""Of a validation split that a person has checked in part, what is checked guides scores and fine-tuning."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from plain_training import SPEC
from stage_chain import Chain, write_data
from test_stage_scripts import FINE_TUNING, KEPT, TRAINING

from heft.artifacts import read_parquet, write_parquet
from heft.data.examples import load_examples, load_guiding_examples
from heft.data.trust import guiding, sentence_on_guides

IP = {"method": "ip", "options": {}, "ensemble": "", "ensemble_options": {}, "members": 1}
FILES = ("marked", "checked_alone", "whole")


def validation(trusted: list[bool] | None) -> pd.DataFrame:
    """Three examples of the first class, then two of the second."""
    table = pd.DataFrame({"id": list("abcde"), "label": [0, 0, 0, 1, 1]})
    return table if trusted is None else table.assign(trusted=trusted)


@pytest.mark.parametrize(
    ("trusted", "guides", "said"),
    [
        (None, "abcde", ""),
        ([True] * 5, "abcde", ""),
        ([False] * 5, "abcde", ""),
        (
            [False, True, False, True, False],
            "bd",
            "Of 5 examples of validation, the 2 whose labels were checked (data.trusted) alone guide what reads "
            "validation labels; all of them judge.",
        ),
        (
            [True, True, False, False, False],
            "abcde",
            "Of 5 examples of validation, 2 were checked (data.trusted), but not one of each class: all of them guide "
            "what reads validation labels.",
        ),
    ],
)
def test_checked_examples_guide_alone_where_each_class_has_one(
    trusted: list[bool] | None, guides: str, said: str
) -> None:
    table = validation(trusted)
    assert "".join(table["id"][guiding(table)]) == guides
    assert sentence_on_guides(table) == said


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Chain]:
    """The same trained model beside three files of validation: half of it marked, that half alone, and all of it."""
    folder = tmp_path_factory.mktemp("guides")
    data = write_data(folder)
    whole = read_parquet(data["validation"])
    half = whole.groupby("label").cumcount() % 2 == 0
    tables = (whole.assign(trusted=half), whole[half], whole)
    chains = {}
    for name, table in zip(FILES, tables, strict=True):
        write_parquet(folder / f"{name}.parquet", table.reset_index(drop=True))
        chains[name] = Chain(folder, data | {"validation": folder / f"{name}.parquet"})
    chain = chains["whole"]
    states = {"states": "train/states.safetensors", "history": "train/history.parquet", "dynamics": "train/d.parquet"}
    chain.run("train", {}, states, TRAINING)
    facts = {"facts": "train/states.json", "history": "train/history.parquet"}
    chain.run("checkpoint", facts, {"facts": "checkpoints/checkpoints.json"}, KEPT)
    return chains


def scores(chain: Chain, name: str) -> np.ndarray:
    files: dict[str, Any] = {"checkpoints": "checkpoints/checkpoints.json"}
    files |= {"auxiliary": [], "probabilities": [], "dynamics": []}
    output = {"scores": f"{name}/members.parquet", "cost": f"{name}/cost.json"}
    params = {"scorer": IP, "weight_decay": 0.0, "optimiser": "sgd", "objective": {"name": "loss", "options": {}}}
    chain.run("score_members", files, output, params, m="ip")
    found: np.ndarray = chain.read(output["scores"])["m000"].to_numpy()
    return found


def fine_tuned(chain: Chain, name: str) -> np.ndarray:
    """The weights of the baseline, and of the models that a method asks for."""
    files: dict[str, Any] = {"checkpoints": "checkpoints/checkpoints.json"}
    output = {"states": f"{name}/tuned.safetensors", "cost": f"{name}/tuned.json"}
    params = TRAINING | FINE_TUNING | {"variant": {"method": "finetuned", "options": {}}}
    chain.run("baseline", files, output, params, v="finetuned")
    further = {key: f"{name}/{file}" for key, file in
               {"facts": "checkpoints.json", "history": "h.parquet", "dynamics": "d.parquet"}.items()}  # fmt: skip
    chain.run("auxiliary", {"continued": [str(chain.folder / "checkpoints/checkpoints.json")]}, further,
              TRAINING | KEPT | FINE_TUNING | {"numbers": [0]}, kind="fine_tunes", g="0")  # fmt: skip
    states = [chain.read(f"{name}/{file}.safetensors") for file in ("tuned", "states")]
    return np.concatenate([tensor.numpy().ravel() for state in states for tensor in state.values()])


@pytest.mark.parametrize("result", [scores, fine_tuned])
def test_what_reads_validation_labels_reads_the_checked_ones(chains: dict[str, Chain], result: Any) -> None:
    marked, checked_alone, whole = (result(chains[name], f"{result.__name__}_{name}") for name in FILES)
    assert (marked == checked_alone).all()
    assert abs(marked - whole).max() > 1e-4


def test_models_that_validation_only_judges_are_judged_by_all_of_it(chains: dict[str, Chain]) -> None:
    output = {"facts": "seeds/checkpoints.json", "history": "seeds/h.parquet", "dynamics": "seeds/d.parquet"}
    params = TRAINING | KEPT | FINE_TUNING | {"numbers": [1]}
    losses = {}
    for name in FILES:
        chains[name].run("auxiliary", {"continued": []}, output, params, kind="seeds", g="0")  # type: ignore[dict-item]
        losses[name] = chains[name].read(output["history"])["validation_loss"].tolist()
    assert losses["marked"] == losses["whole"] != losses["checked_alone"]


def test_a_split_is_loaded_whole_or_as_what_guides(chains: dict[str, Chain], tmp_path: Path) -> None:
    chain = chains["marked"]
    folder, file = chain.folder / "data", chain.data["validation"]
    everyone, guides = load_examples(folder, file), load_guiding_examples(folder, file)
    trusted = read_parquet(file)["trusted"].to_numpy(copy=True)
    assert guides.ids.tolist() == everyone.ids[trusted].tolist()
    assert (guides.inputs == everyone.inputs[trusted]).all()
    assert guides.inputs.shape[1:] == SPEC.input_shape
    assert 0 < len(guides) < len(everyone)

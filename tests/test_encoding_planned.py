"""Which jobs an encoder reaches: its file, its options and its weights run `encode`, and what follows from that."""

import os
from pathlib import Path
from typing import Any

import pytest
from workspace import TINY

from heft.artifacts import write_json
from heft.data.read_files import read_files
from heft.errors import HeftError
from heft.workflow.planning import encoding, paths
from heft.workflow.planning.code import stage_code
from heft.workflow.planning.lasting import lasting_files
from heft.workflow.planning.plan import Plan, load_plan
from heft.workflow.planning.source_files import state_of_weights

OWN = '''"""Encoders of my own."""

from heft.data.encoders.declare import Encoder, encoder


@encoder(modality="images", origin="mine", licence="mine", packages={"not_there": "not-there"})
def lacking() -> Encoder: ...
'''


def plan_of(folder: Path, encoder: Any) -> Plan:
    (name, definition), *_ = TINY["definitions"].items()
    settings = {**TINY, "definitions": {name: {**definition, "encoder": encoder}}}
    return load_plan(settings, [folder / "mine.yaml"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_encoders.py").write_text(OWN)
    return tmp_path


def name_in(plan: Plan) -> str:
    return next(iter(plan.experiments))


def test_models_see_features_where_there_is_an_encoder_and_the_data_where_there_is_none(folder: Path) -> None:
    for encoder, seen in ((None, "data"), ("efficientnet_lite0", "features")):
        plan = plan_of(folder, encoder)
        name = name_in(plan)
        assert encoding.seen(plan, name, "manifest.json") == f"results/{name}/{seen}/manifest.json"
        asked = lasting_files(plan.experiments[name], [])
        assert (paths.ENCODED.format(e=name) in asked) == (encoder is not None)
        assert encoding.encoded_manifest(plan, name) == ([f"results/{name}/features/manifest.json"] if encoder else [])


def test_the_code_of_an_encoder_reaches_encode_alone(folder: Path) -> None:
    plan = plan_of(folder, "efficientnet_lite0")
    name, module = name_in(plan), "heft.data.encoders.efficientnet_lite0"
    files = encoding.encoder_files(plan, name)
    assert {module, "heft.data.encoders.pictures"} <= set(stage_code(plan, name, "encode", *files))
    for stage in ("prepare", "split", "train", "score_members", "evaluate"):
        assert not any(other.startswith("heft.data.encoders") for other in stage_code(plan, name, stage, model=True))


def test_features_are_kept_for_each_version_of_an_encoders_code_but_not_of_the_stage(folder: Path) -> None:
    asked: list[Any] = ["efficientnet_lite0", {"efficientnet_lite0": {"size": 32}}, "hashed_words", None]
    plans = [plan_of(folder, encoder) for encoder in asked]
    versions = {encoding.encoder_version(plan, name_in(plan)) for plan in plans}
    assert len(versions) == 3  # options are told apart by themselves
    assert "" in versions


def test_weights_that_change_run_encode_again_and_a_touch_does_not(folder: Path) -> None:
    weights = folder / "resnet.pth"
    weights.write_text("one")
    encoder = {"torchvision_network": {"name": "resnet18", "weights": "resnet.pth"}}
    plan = plan_of(folder, encoder)
    name = name_in(plan)
    manifest = Path(paths.ENCODED_MANIFEST.format(e=name))
    assert encoding.encoder_of(plan, name)["options"] == {"name": "resnet18", "weights": "resnet.pth"}

    def after_a_run() -> str:
        state = state_of_weights(plan, name)
        read = read_files({"weights": Path("resnet.pth")})
        write_json(manifest, {"read": {"state": state, "files": read.kept, "folders": read.folders}})
        assert state_of_weights(plan, name) == state
        return state

    first = after_a_run()
    os.utime(weights, (1, 1))
    assert state_of_weights(plan, name) == first
    weights.write_text("two")
    assert state_of_weights(plan, name) != first
    assert after_a_run() != first
    plain = plan_of(folder, "efficientnet_lite0")
    assert state_of_weights(plain, name) == ""


@pytest.mark.parametrize(
    ("encoder", "said"),
    [
        ("efficientnet_lite", 'encoder is "efficientnet_lite"; did you mean "efficientnet_lite0"?'),
        (
            {"efficientnet_lite0": {"size": 100}},
            "encoder.efficientnet_lite0.size is 100; it must be 32 or 64 or 96 or ",
        ),
        ({"efficientnet_lite0": {"sise": 96}}, "encoder.efficientnet_lite0.sise is not an option; did you mean"),
        ({"torchvision_network": {}}, "encoder.torchvision_network.name is missing"),
        (
            {"torchvision_network": {"name": "resnet18", "weights": "gone.pth"}},
            'encoder.torchvision_network.weights is "gone.pth", which is in none of ',
        ),
        ("my_encoders:lacking", "encoder: Encoder my_encoders:lacking needs not-there, not installed here: `pip inst"),
        ("my_encoders:gone", "has no gone; it has: lacking"),
        (5, "encoder is 5; it must be text or "),
    ],
)
def test_a_mistake_is_one_sentence_before_anything_runs(encoder: Any, said: str, folder: Path) -> None:
    with pytest.raises(HeftError) as caught:
        plan_of(folder, encoder)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_encoder_leaves_no_pictures_for_augmentation(folder: Path) -> None:
    (name, definition), *_ = TINY["definitions"].items()
    changed = {**definition, "encoder": "efficientnet_lite0", "training": {"augmentation": ["horizontal_flip"]}}
    with pytest.raises(HeftError, match='encoder is "efficientnet_lite0", which makes features before training'):
        load_plan({**TINY, "definitions": {name: changed}}, [folder / "mine.yaml"])

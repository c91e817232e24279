"""A file that is half written is named in a sentence, and hides no other file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from workspace import ROOT

from heft.errors import HeftError
from heft.registry import added_folder, declarations, unreadable
from heft.workflow.configuration.settings import schema
from heft.workflow.planning.plan import Plan, load_plan

SHIPPED = yaml.safe_load((ROOT / "config.yaml").read_text())
BROKEN = {
    "half": ("@method(\n", "line 1 cannot be read: '(' was never closed"),
    "misnamed": (
        '@method(formula="")\ndef other(context):\n    pass\n',
        "line 2: the method is named other; expected misnamed",
    ),
    "not_literal": (
        "@method(formula=str(1))\ndef not_literal(context):\n    pass\n",
        "line 1: formula is str(1); it must be a literal",
    ),
    "binary": ("\x00", "cannot be read: "),
    "deep": ("(" * 5000, "cannot be read: "),
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A further folder of methods with files that cannot be read, among them the lock of an editor."""
    for name, (text, _) in BROKEN.items():
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / ".#half.py").symlink_to("nobody@nowhere")
    (tmp_path / "gone.py").symlink_to("nowhere.py")
    with added_folder("methods", tmp_path):
        yield tmp_path


def planned(**definitions: dict[str, object]) -> Plan:
    return load_plan({**SHIPPED, "experiments": list(definitions), "definitions": definitions}, [ROOT / "config.yaml"])


def test_each_file_that_cannot_be_read_has_a_sentence_and_the_others_are_declared(folder: Path) -> None:
    assert set(unreadable("methods")) == {*BROKEN, "gone"}
    for name, (_, sentence) in BROKEN.items():
        assert sentence in unreadable("methods")[name]
        assert str(folder / f"{name}.py") in unreadable("methods")[name]
    assert {"ip", "loss"} <= set(declarations("methods"))
    assert (
        "half"
        in schema()["$defs"]["ExperimentSettings"]["properties"]["methods"]["items"]["anyOf"][0]["anyOf"][0]["enum"]
    )


def test_an_experiment_that_uses_one_is_left_out_with_its_sentence(folder: Path) -> None:
    plan = planned(
        good={"methods": ["ip"], "ensembles": []}, bad={"methods": ["ip", {"half": {"x": 1}}], "ensembles": []}
    )
    assert list(plan.experiments) == ["good"]
    assert plan.spoiled == {
        "bad": f"config.yaml: definitions.bad cannot run: {folder}/half.py, line 1 cannot be read: '(' was never closed"
    }


def test_where_no_experiment_is_left_it_is_an_error(folder: Path) -> None:
    with pytest.raises(HeftError, match=r"definitions.bad cannot run: .*half.py, line 1 cannot be read"):
        planned(bad={"methods": ["half"], "ensembles": []})


def test_a_persons_own_model_that_is_half_written_spoils_its_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("half_written.py").write_text("def build(input_shape, n_classes):\n    return nn.Sequential(\n")
    plan = planned(good={}, bad={"model": "half_written:build"})
    assert list(plan.experiments) == ["good"]
    assert f"{tmp_path}/half_written.py, line 2 cannot be read" in plan.spoiled["bad"]

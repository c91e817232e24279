"""Features of an encoder that no configuration asks for are told with their size and removed; the others stay."""

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from workspace import ROOT, TINY

from heft.data.encoders.cache import FeatureCache
from heft.data.encoders.encode import _identity
from heft.registry import find
from heft.workflow.housekeeping.files import Removable, removable_files, remove_files
from heft.workflow.housekeeping.makers import UNKNOWN, Kept, Makers
from heft.workflow.housekeeping.runs import FoundRuns
from heft.workflow.housekeeping.telling import told
from heft.workflow.housekeeping.unplanned import Planned, planned_names
from heft.workflow.places import FEATURES
from heft.workflow.planning.plan import load_plan

WEIGHTS: Any = SimpleNamespace(files={"weights": "abc"})
SHAPES = ["results/{e}/data/inputs.safetensors", "results/{e}/features/inputs.safetensors", "logs/{e}/encode.log"]
OF_RESULTS = {"results/small/features/inputs.safetensors", "logs/small/encode.log"}


def names_of(encoder: Any) -> dict[str, dict[str, list[str]]]:
    """What a plan with that encoder asks for."""
    settings: dict[str, Any] = copy.deepcopy(dict(TINY))
    settings["definitions"]["small"] |= {"encoder": encoder, "model": "logistic"}
    return planned_names(load_plan({**yaml.safe_load((ROOT / "config.yaml").read_text()), **settings}, []))


SMALL_ONE, OTHER = ({"efficientnet_lite0": {"size": size}} for size in (32, 64))


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A project with features of one encoder in the cache and in results; the file of the cache."""
    monkeypatch.chdir(tmp_path)
    for file in (*OF_RESULTS, "results/small/data/inputs.safetensors"):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(file)
    identity = _identity(find("data/encoders", "efficientnet_lite0"), {"size": 32}, WEIGHTS, "1")
    cache = FeatureCache(FEATURES, identity, 3)
    cache.put({"a": np.ones(3, np.float32)})
    cache.close()
    return str(cache.path)


def removable(asked: Any, **noted: Any) -> dict[str, Removable]:
    """By path, what can go where `asked` is the encoder; noted: that of each configuration, by its label."""
    made = {label.replace("own", ""): Planned(names_of(encoder), SHAPES) for label, encoder in noted.items()}
    return {file.path: file for file in removable_files(Planned(names_of(asked), SHAPES), Makers("", made))}


def test_what_is_still_asked_for_stays(cached: str) -> None:
    assert removable(SMALL_ONE, own=SMALL_ONE) == {}


def test_features_of_a_dropped_encoder_go_from_the_cache_and_from_results(cached: str) -> None:
    size = Path(cached).stat().st_size
    found = removable(None, own=SMALL_ONE)
    assert set(found) == {cached, *OF_RESULTS}
    assert found[cached].size == size
    assert all(file.kept is None for file in found.values())
    said = told(list(found.values()), FoundRuns(), [], "", removed=False)
    assert f"features by efficientnet_lite0, kept for all experiments: 1 file, {size / 1e6:,.1f} MB" in said
    assert "small, features of an encoder: 2 files" in said
    remove_files(found.values())
    assert removable(None, own=SMALL_ONE) == {}
    assert not Path(cached).exists()
    assert Path("results/small/data/inputs.safetensors").exists()


def test_those_of_an_encoder_with_other_options_go_from_the_cache_alone(cached: str) -> None:
    assert set(removable(OTHER, own=SMALL_ONE)) == {cached}


def test_what_another_configuration_asks_for_or_nobody_noted_waits_for_a_person(cached: str) -> None:
    assert removable(None, own=SMALL_ONE, theirs=SMALL_ONE)[cached].kept == Kept("features", "made with theirs")
    assert removable(None, own=None)[cached].kept == Kept("features", UNKNOWN)


@pytest.mark.parametrize("content", [b"", b"no database"])
def test_a_damaged_file_of_the_cache_is_left_to_the_next_run(cached: str, content: bytes) -> None:
    Path(cached).write_bytes(content)
    assert cached not in removable(None, own=SMALL_ONE)


def test_a_tracked_run_of_encode_goes_with_the_encoder() -> None:
    assert Planned(names_of(None), SHAPES).of_run("small/encode") == "small, features of an encoder"
    assert Planned(names_of(SMALL_ONE), SHAPES).of_run("small/encode") == ""

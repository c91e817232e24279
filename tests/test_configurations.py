"""Tidying by one configuration takes nothing that another one made, unless a person agrees."""

from pathlib import Path

import pytest

from heft.errors import HeftError
from heft.workflow.housekeeping.configurations import FILE, forget, label_of, made_by_each, note_made
from heft.workflow.housekeeping.files import Removable
from heft.workflow.housekeeping.makers import UNKNOWN, Kept, Makers, agreed, may_go
from heft.workflow.housekeeping.unplanned import Planned

SHAPES = ["results/{e}/data/inputs.safetensors", "results/{e}/seed{s}/scores/{v}.parquet"]


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def asks_for(seeds: list[str], variants: list[str]) -> dict[str, list[str]]:
    return {"s": seeds, "m": variants, "v": variants, "kind/g": []}


def makers(present: str) -> Makers:
    return Makers(present, {label: Planned(names, SHAPES) for label, names in made_by_each().items()})


def test_a_configuration_is_known_by_its_files_and_by_what_defines_experiments(tmp_path: Path) -> None:
    assert label_of([tmp_path / "config.yaml"], {}) == ""
    assert label_of(["config.yaml"], {"experiments": ["a"], "keep_retrained": True}) == ""
    assert label_of([tmp_path / "mine.yaml", "config.yaml"], {}) == "--configfile mine.yaml"
    assert label_of(["/elsewhere/mine.yaml"], {}) == "--configfile /elsewhere/mine.yaml"
    assert label_of(["config.yaml"], {"defaults": {"seeds": [7]}}) == '--config {"defaults": {"seeds": [7]}}'


def test_what_another_configuration_made_stays_and_says_whose_it_is() -> None:
    note_made("", {"base": asks_for(["0"], ["ip"])})
    note_made("--configfile mine.yaml", {"mine": asks_for(["0"], ["ip"]), "base": asks_for(["0", "1"], ["ip"])})
    present = makers("")
    of_mine = Kept("mine", "made with --configfile mine.yaml")
    assert present.keeps_file("results/mine/data/inputs.safetensors") == of_mine
    assert present.keeps_run("mine/seed0/evaluate/ip/remove/0.1") == of_mine
    assert present.keeps_run("base/seed1") == Kept("base", "made with --configfile mine.yaml")
    assert present.keeps_run("base/seed2") == Kept("base", UNKNOWN)
    assert makers("--configfile mine.yaml").keeps_run("base/seed0") == Kept("base", "made with config.yaml alone")


def test_what_a_configuration_made_itself_goes_unasked() -> None:
    note_made("", {"base": asks_for(["0"], ["ip"])})
    note_made("", {"base": asks_for(["1"], ["loss"])})
    assert makers("").keeps_file("results/base/seed0/scores/ip.parquet") is None
    assert makers("").keeps_run("base/seed1/score/loss") is None


def test_a_configuration_that_was_tidied_claims_only_what_it_still_asks_for() -> None:
    note_made("", {"base": asks_for(["0"], ["ip"]), "gone": asks_for(["0"], ["ip"])})
    note_made("--configfile mine.yaml", {"base": asks_for(["0"], ["ip"])})
    forget("", {"base": asks_for(["1"], ["ip"]), "defined but never made": asks_for(["0"], [])})
    assert made_by_each()[""] == {"base": {"kind/g": [], "m": ["ip"], "s": [], "v": ["ip"]}}
    assert makers("--configfile mine.yaml").keeps_run("base/seed0") is None
    forget("--configfile mine.yaml", {}, {"base"})
    assert made_by_each() == {}


def test_a_person_agrees_to_all_or_to_experiments_by_name() -> None:
    removables = [Removable(e, e, 1, Kept(e, UNKNOWN)) for e in ("mine", "yours")] + [Removable("own", "own", 1)]
    assert [agreed(value, removables) for value in (None, False, "false")] == [set()] * 3
    assert [agreed(value, removables) for value in (True, "true", "True")] == [{"mine", "yours"}] * 3
    assert [agreed(value, removables) for value in ("mine", ["mine"])] == [{"mine"}] * 2
    assert [may_go(removable, {"mine"}) for removable in removables] == [True, False, True]
    with pytest.raises(HeftError, match=r"nothing of an experiment own waits.*: mine, yours"):
        agreed(["own"], removables)


@pytest.mark.parametrize("text", ["", "[]", '{"": 5}', '{"": {"e": {"s": 5}}}'])
def test_a_damaged_note_is_one_sentence(text: str) -> None:
    FILE.parent.mkdir()
    FILE.write_text(text)
    with pytest.raises(HeftError, match=r"configurations.json is damaged"):
        made_by_each()

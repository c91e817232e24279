"""What the configuration no longer asks for is told, then removed: these files and runs, and no others."""

import copy
import sqlite3
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from workspace import TINY, Workspace, each_run_once

from heft.workflow.housekeeping.files import Removable, links, removable_files, remove_files, unknown_files
from heft.workflow.housekeeping.makers import Kept, Makers
from heft.workflow.housekeeping.runs import FoundRuns, RemovableRun
from heft.workflow.housekeeping.telling import told
from heft.workflow.housekeeping.unplanned import Planned

SHAPES = [
    "results/{e}/data/inputs.safetensors",
    "results/{e}/seed{s}/scores/{v}.parquet",
    "results/{e}/seed{s}/scores/{m}/members.parquet",
    "results/{e}/seed{s}/auxiliary/{kind}/group{g}/states.safetensors",
    "reports/{e}/figures/{file}",
    "logs/{e}/seed{s}/evaluate/{v}.log",
]
NAMES = {"kept": {"s": ["0"], "m": ["loss"], "v": ["none", "loss"], "kind/g": ["folds/0"]}}
PLANNED = Planned(NAMES, SHAPES)
ONCE = {"s": ["0", "1", "2"], "m": ["loss", "ip"], "v": ["none", "loss", "ip"], "kind/g": ["folds/0", "folds/1"]}
MAKERS = Makers("", {"": Planned({"kept": ONCE, "gone": ONCE}, SHAPES)})
GONE = {
    "results/gone/data/inputs.safetensors": "experiment gone",
    "results/kept/seed1/scores/loss.parquet": "kept, seed 1",
    "results/kept/seed0/scores/ip.parquet": "kept, ip",
    "results/kept/seed0/scores/ip/members.parquet": "kept, ip",
    "results/kept/seed0/auxiliary/folds/group1/states.safetensors": "kept, folds group 1",
    "results/kept/seed0/members/folds/group0/states.safetensors": "kept, made by an older version",
    "logs/kept/seed0/members/folds-group0.log": "kept, made by an older version",
    "reports/gone/figures/answer.svg": "experiment gone",
    "logs/kept/seed0/evaluate/ip.log": "kept, ip",
    "results/kept/.x.json.999999999.0123abcd.tmp": "left by a process that was killed",
}
STAYS = [
    "results/kept/data/inputs.safetensors",
    "results/kept/seed0/scores/loss.parquet",
    "results/kept/seed0/auxiliary/folds/group0/states.safetensors",
    "reports/kept/figures/answer.svg",
    "results/gone/my notes.txt",
    "results/kept/.x.json.1.0123abcd.tmp",  # of a process that lives
    "elsewhere/gone/data/inputs.safetensors",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for file in (*GONE, *STAYS):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(file)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_exactly_what_is_not_asked_for_is_found_and_removed(folder: Path) -> None:
    removable = removable_files(PLANNED, MAKERS)
    assert {file.path: file.what for file in removable} == GONE
    assert all(file.size == len(file.path) for file in removable)
    assert unknown_files(PLANNED) == ["results/gone/my notes.txt"]
    remove_files(removable)
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there == set(STAYS)
    assert not (folder / "results/kept/seed1").exists()
    assert removable_files(PLANNED, MAKERS) == []


def test_links_are_not_followed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    target = other / "gone/data/inputs.safetensors"
    target.parent.mkdir(parents=True)
    target.write_text("another project's")
    (folder / "results/kept/data/inputs.safetensors").unlink()
    (folder / "results/kept/data/inputs.safetensors").symlink_to(target)
    (folder / "reports").rename(folder / "reports aside")
    (folder / "reports").symlink_to(other)
    assert links() == ["reports"]
    remove_files(removable_files(PLANNED, MAKERS))
    assert target.read_text() == "another project's"
    assert (folder / "results/kept/data/inputs.safetensors").is_symlink()


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("kept/prepare", ""),
        ("kept/seed0/train", ""),
        ("kept/seed0/score_members/loss", ""),
        ("kept/seed0/evaluate/none/remove/0.05", ""),
        ("kept/seed0/auxiliary/folds group0", ""),
        ("kept/seed0/members/folds group0", "kept, made by an older version"),
        ("gone/prepare", "experiment gone"),
        ("kept/seed2", "kept, seed 2"),
        ("kept/seed0/evaluate/ip/remove/0.05", "kept, ip"),
        ("kept/seed0/auxiliary/seeds group1", "kept, seeds group 1"),
    ],
)
def test_a_run_is_known_by_its_key(key: str, what: str) -> None:
    assert PLANNED.of_run(key) == what


def test_what_is_told_is_counted_and_says_how_to_go_on() -> None:
    files = [Removable("a", "experiment gone", 2_000_000), Removable("b", "experiment gone", 500_000)]
    runs = FoundRuns([RemovableRun("1", "kept, ip")])
    said = told(files, runs, ["results/notes.txt"], "sqlite:///mlflow.db", False)
    assert said.splitlines() == [
        "`snakemake --cores 1 tidy_now` would remove:",
        "  from results, logs and reports",
        "    experiment gone: 2 files, 2.5 MB",
        "  from the tracking store sqlite:///mlflow.db",
        "    kept, ip: 1 run",
        "  left alone, since no rule writes them: results/notes.txt",
    ]
    assert told([], FoundRuns(), ["results/notes.txt"], "", True) == "There is nothing to remove."


def test_what_stays_until_a_person_agrees_is_counted_with_who_made_it_and_the_command() -> None:
    kept = Kept("mine", "made with --configfile mine.yaml")
    files = [Removable("a", "experiment mine", 5, kept)]
    runs = FoundRuns([RemovableRun("1", "experiment mine", kept)], 7)
    said = told(files, runs, [], "sqlite:///mlflow.db", False)
    assert said.startswith("There is nothing to remove.\nKept, ")
    assert "  experiment mine (made with --configfile mine.yaml): 1 file, 1 run\n" in said
    assert "tidy_now --config confirm=true" in said
    assert said.endswith("sqlite:///mlflow.db: 7 runs that no project claims, made by an older version of Heft.")
    assert "    experiment mine: 1 file, 0.0 MB" in told(files, runs, [], "sqlite:///mlflow.db", True, {"mine"})


def settings() -> dict[str, Any]:
    """Two experiments, one of them with two seeds and two methods."""
    made: dict[str, Any] = copy.deepcopy(TINY)
    made["definitions"]["old"] = {**made["definitions"]["small"], "methods": ["random"]}
    made["experiments"] = ["small", "old"]
    made["definitions"]["small"]["seeds"] = [0, 1]
    return made


def n_runs(folder: Path) -> int:
    with sqlite3.connect(folder / "mlflow.db") as store:
        return int(store.execute("SELECT count(*) FROM runs").fetchone()[0])


@pytest.mark.slow
def test_a_smaller_configuration_is_tidied_up_after(tmp_path: Path) -> None:
    workspace, changed = Workspace(tmp_path, settings()), settings()
    workspace.run()
    changed["experiments"] = ["small"]
    workspace.configure(changed)
    assert "There is nothing to remove." in workspace.run("--", "tidy")  # not selected, but still defined

    del changed["definitions"]["old"]
    changed["definitions"]["small"] |= {"seeds": [0], "methods": ["random"]}
    workspace.configure(changed)
    (tmp_path / "results/small/notes.txt").write_text("mine")
    before, runs = {*(tmp_path / "results").rglob("*")}, n_runs(tmp_path)
    said = workspace.run("--", "tidy")
    for what in ("experiment old", "small, loss", "small, seed 1", "notes.txt"):
        assert what in said
    assert {*(tmp_path / "results").rglob("*")} == before
    assert n_runs(tmp_path) == runs

    assert "Removed:" in workspace.run("--", "tidy_now")
    assert not (tmp_path / "results/old").exists()
    assert not (tmp_path / "reports/old").exists()
    assert not (tmp_path / "results/small/seed1").exists()
    assert not list((tmp_path / "results/small/seed0").rglob("loss*"))
    assert (tmp_path / "results/small/notes.txt").read_text() == "mine"
    assert "There is nothing to remove." in workspace.run("--", "tidy")

    workspace.run()  # the report, without what is gone
    assert workspace.plan() == []
    assert set(pd.read_csv(tmp_path / "reports/small/comparison.csv")["variant"]) == {"none", "random"}
    keys = each_run_once(tmp_path)
    assert set(keys.values()) == {"FINISHED"}
    assert {key.split("/")[0] for key in keys} == {"small"}
    assert not [key for key in keys if "seed1" in key or "loss" in key]
    assert n_runs(tmp_path) < runs
    assert "1 run" in workspace.run("--", "tidy_now")  # the report's, which the new one replaced
    refused_while_another_run_lives(workspace)


def refused_while_another_run_lives(workspace: Workspace) -> None:
    workspace.edit("workflow_scripts/heft/methods/random.py", "return ", "import time\n    time.sleep(8)\n    return ")
    running = workspace.start()
    assert running.stdout is not None
    assert running.stdout.readline()
    while not running.stdout.readline().strip().endswith("jobs"):
        pass
    assert "Another run is going on in this folder" in workspace.run("--", "tidy_now", expect=1)
    running.communicate(timeout=120)
    assert running.returncode == 0

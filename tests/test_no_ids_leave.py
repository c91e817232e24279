"""Nothing that goes to a tracking store on another machine names an example of a person's own data."""

import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from workspace import TINY, Workspace

import heft.workflow.tracking.mlflow_store as mlflow_store
from heft.errors import HeftError
from heft.workflow.identity import identity
from heft.workflow.tracking.delivered import DeliveredNote
from heft.workflow.tracking.delivery import Delivery
from heft.workflow.tracking.mlflow_store import Tracker, Unreachable
from heft.workflow.tracking.records import RunRecord

MARKER = "smith"  # of a person, in ids, names of files and of groups
N = 120


def save_pictures(folder: Path) -> None:
    """Pictures of persons in a CSV file: copies with other labels, near-duplicates, groups, splits, a broken one."""
    generator = np.random.default_rng(0)
    rows = []
    for row in range(N):
        pixels = generator.integers(0, 255, (16, 16, 3), dtype=np.uint8) // 2 + (row % 2) * 100
        path = f"scans/{MARKER}_{row:03d}.png"
        (folder / "scans").mkdir(exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / path)
        part = "test" if row % 4 == 0 else "train"
        rows.append(
            {"path": path, "label": "ill" if row % 2 else "well", "split": part, "group": f"{MARKER} {row // 2}"}
        )
    for copied, original in ((1, 3), (5, 4), (7, 9)):
        (folder / rows[copied]["path"]).write_bytes((folder / rows[original]["path"]).read_bytes())
    lighter = np.asarray(Image.open(folder / rows[11]["path"])).astype(int) + 2
    Image.fromarray(lighter.clip(0, 255).astype(np.uint8)).save(folder / rows[13]["path"])
    rows[7]["label"] = "well"
    (folder / rows[15]["path"]).write_bytes(b"no picture")
    pd.DataFrame(rows).to_csv(folder / "scans.csv", index=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("persons")
    save_pictures(folder)
    source = {"image_folder": {"path": "scans.csv", "size": 16}}
    data = {"source": source, "train": "rest", "validation": 20, "test": "rest", "noise": {"kind": "none"}}
    settings = TINY["definitions"]["small"] | {"data": data}  # type: ignore[index]
    workspace = Workspace(folder, {"experiments": ["small"], "definitions": {"small": settings}})
    workspace.run()
    return workspace


def delivered(workspace: Workspace, place: Path) -> dict[str, str]:
    """{file: text} of all that a store in the folder `place` holds once the workspace's records are delivered to it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace.folder)
        uri, own = f"sqlite:///{place}/store.db", identity()
        tracker = Tracker(uri, own.project)
        assert Delivery(tracker, DeliveredNote(uri, own.project), Unreachable).drain(120) == 0
    with sqlite3.connect(place / "store.db") as store:
        database = "\n".join(store.iterdump())
    files = {str(file.relative_to(place)): file for file in place.rglob("*") if file.is_file() and file.suffix != ".db"}
    return {"database": database, **{name: file.read_text("utf-8", "replace") for name, file in files.items()}}


@pytest.mark.slow
def test_no_id_and_no_name_of_a_file_or_group_reaches_a_store_elsewhere(
    finished: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = finished.folder / "results/small/failed.record.jsonl"
    with pytest.raises(HeftError), RunRecord.start(failed, "small", "prepare"):
        raise HeftError(f"scans.csv, line 3: {MARKER}_001.png is no picture.")
    (tmp_path / "here").mkdir()
    here = delivered(finished, tmp_path / "here")
    naming = {Path(name).name for name, text in here.items() if MARKER in text}
    assert naming == {"database", "index.html", "facts.json", "manifest.json"}
    monkeypatch.setattr(mlflow_store, "is_local", lambda uri: False)
    (tmp_path / "there").mkdir()
    there = delivered(finished, tmp_path / "there")
    assert {Path(name).name for name in there} >= {"index.html", "comparison.csv", "metrics.csv", "database"}
    assert [name for name, text in there.items() if MARKER in text] == []
    assert "HeftError; the job''s log says more" in there["database"]
    (page,) = (text for name, text in there.items() if name.endswith("index.html"))
    for said in ("identical examples with different labels", "near-duplicates", "repeats", "skipped", "ill"):
        assert said in page

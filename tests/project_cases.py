"""A project that shares a store with others."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from heft.workflow.housekeeping.makers import Makers
from heft.workflow.housekeeping.runs import find_runs, remove_runs
from heft.workflow.housekeeping.unplanned import Planned
from heft.workflow.identity import identity
from heft.workflow.tracking.delivered import DeliveredNote, waiting
from heft.workflow.tracking.delivery import Delivery
from heft.workflow.tracking.local_store import adopt
from heft.workflow.tracking.mlflow_store import Tracker, Unreachable
from heft.workflow.tracking.records import RunRecord

EXPERIMENT = "shared"


def asks_for(*variants: str) -> Planned:
    return Planned({EXPERIMENT: {"s": ["0"], "m": [], "v": list(variants), "kind/g": []}}, [])


EVERYTHING = asks_for("loss", "ip")


class Project:
    """A folder with records made by hand, delivered and tidied as by the workflow; its own store without `uri`."""

    def __init__(self, folder: Path, uri: str = "") -> None:
        self.folder, self._uri = folder, uri
        folder.mkdir(exist_ok=True)

    @property
    def uri(self) -> str:
        """The store; its own by its whole path: one process of mlflow keeps open what it found by a relative one."""
        return self._uri or f"sqlite:///{self.folder}/mlflow.db"

    def inside(self, act: Callable[[], Any]) -> Any:
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            return act()
        finally:
            os.chdir(before)

    def record(self, variant: str, value: float) -> None:
        def act() -> None:
            identity()
            Path(f"{variant}.json").write_text(str(value))
            path = Path(f"results/{EXPERIMENT}/seed0/scores/{variant}.record.jsonl")
            path.unlink(missing_ok=True)
            with RunRecord.start(path, EXPERIMENT, "score", seed=0, variant=variant) as run:
                run.metrics({"value": value})
                run.artifact(f"{variant}.json")

        self.inside(act)

    def deliver(self) -> None:
        def act() -> None:
            own = identity()
            adopt(self.uri, own)
            tracker, note = Tracker(self.uri, own.project), DeliveredNote(self.uri, own.project)
            assert Delivery(tracker, note, Unreachable).drain(60) == 0
            assert waiting(self.uri, own.project) == []

        self.inside(act)

    def tidy(self, planned: Planned) -> None:
        def act() -> None:
            own = identity()
            adopt(self.uri, own)
            tracker = Tracker(self.uri, own.project)
            runs = find_runs(tracker, own.project, planned, Makers("", {"": EVERYTHING}))
            remove_runs(tracker, self.uri, own.project, runs.removable)

        self.inside(act)

    def runs(self) -> list[tuple[str, str, float]]:
        """Key, `superseded` and value of the project's runs, those of its seeds aside."""

        def act() -> list[tuple[str, str, float]]:
            tracker = Tracker(self.uri, identity().project)
            runs = [tracker.client.get_run(run["run_id"]).data for run in tracker.known_runs(EXPERIMENT)]
            return sorted((run.tags["key"], run.tags["superseded"], run.metrics["value"]) for run in runs)

        return list(self.inside(act))

    def move(self, place: Path) -> None:
        self.folder = self.folder.rename(place)

    def copy(self, place: Path) -> "Project":
        return Project(Path(shutil.copytree(self.folder, place)), self._uri)


def current(*pairs: tuple[str, float]) -> list[tuple[str, str, float]]:
    return [(f"{EXPERIMENT}/seed0/score/{variant}", "false", value) for variant, value in pairs]


def live_apart(folder: Path, uri: str) -> None:
    """One project is copied, the other moved; then each measures anew and tidies, and keeps exactly its own runs."""
    first, second = Project(folder / "first", uri), Project(folder / "second", uri)
    for project, value in ((first, 1.0), (second, 2.0)):
        for variant in ("ip", "loss"):
            project.record(variant, value)
        project.deliver()
    second.move(folder / "moved")
    copied = first.copy(folder / "copy")
    copied.record("ip", 3.0)
    for project in (copied, second, first, second):
        project.deliver()
    assert first.runs() == current(("ip", 1.0), ("loss", 1.0))
    assert second.runs() == current(("ip", 2.0), ("loss", 2.0))
    assert copied.runs() == current(("ip", 3.0), ("loss", 1.0))

    second.record("loss", 4.0)
    second.deliver()
    assert ("shared/seed0/score/loss", "true", 2.0) in second.runs()
    second.tidy(asks_for("loss"))
    assert second.runs() == current(("loss", 4.0))
    copied.tidy(Planned({}, []))
    assert copied.runs() == []
    assert first.runs() == current(("ip", 1.0), ("loss", 1.0))
    first.tidy(asks_for("ip"))
    assert first.runs() == current(("ip", 1.0))
    assert second.runs() == current(("loss", 4.0))
    copied.deliver()
    assert copied.runs() == current(("ip", 3.0), ("loss", 1.0))


def artifacts(folder: Path) -> dict[str, str]:
    """{name: text} of the artifacts of the runs of a folder's own store, where the store says that they lie."""
    with sqlite3.connect(folder / "mlflow.db") as store:
        places = [Path(place) for (place,) in store.execute("SELECT artifact_uri FROM runs")]
    files = [file for place in places if place.is_dir() for file in place.iterdir()]
    assert all(file.is_relative_to(folder) for file in files)
    return {file.name: file.read_text() for file in files}

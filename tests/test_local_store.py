"""A SQLite store is made whole or not at all, and is mended only where its project was moved or copied."""

import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from heft.workflow.identity import Former, Identity
from heft.workflow.tracking.local_store import adopt, artifact_location, database_of, make_whole

URI = "sqlite:///mlflow.db"


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make(uri: str) -> None:
    database = database_of(uri)
    assert database is not None
    database.write_text("made")
    database.with_name(f"{database.name}-journal").touch()


def test_the_file_of_a_store_is_known_by_its_address() -> None:
    assert database_of(URI) == Path("mlflow.db")
    assert database_of("sqlite+pysqlite:////a/b c.db?timeout=5") == Path("/a/b c.db")
    for other in ("sqlite:///:memory:", "sqlite://", "http://host", "postgresql://host/sqlite:///x"):
        assert database_of(other) is None


def test_a_store_is_made_under_another_name_first() -> None:
    make_whole(URI, make)
    assert [path.name for path in Path().iterdir()] == ["mlflow.db"]
    make_whole(URI, lambda _: pytest.fail("it is there already"))


def test_what_a_killed_process_has_left_of_a_store_is_removed_by_the_next_start() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    kept = [f".mlflow.db.{os.getpid()}.0123abcd.tmp", ".mlflow.db.notes", ".other.db.0123abcd.tmp"]
    left = [
        f".mlflow.db.{ended.pid}.0123abcd.tmp",
        f".mlflow.db.{ended.pid}.0123abcd.tmp-wal",
        ".mlflow.db.0123abcd.tmp",
    ]
    for name in kept + left:
        Path(name).touch()
    make_whole(URI, make)
    assert sorted(path.name for path in Path().iterdir()) == sorted([*kept, "mlflow.db"])


def test_artifacts_of_a_shared_store_lie_beside_it(tmp_path: Path) -> None:
    assert artifact_location(URI) is None
    assert artifact_location("http://host") is None
    location = artifact_location(f"sqlite:///{tmp_path}/shared/mlflow.db")
    assert location is not None
    assert Path(location).parent == tmp_path / "shared" / "mlruns"


def store(file: Path, *locations: str, project: str = "p") -> str:
    file.parent.mkdir(exist_ok=True)
    with sqlite3.connect(file) as database:
        database.executescript(
            "CREATE TABLE experiments (experiment_id, artifact_location); CREATE TABLE runs (artifact_uri);"
            "CREATE TABLE tags (key, value); CREATE TABLE experiment_tags (key, value)"
        )
        for number, location in enumerate(locations, start=1):
            database.execute("INSERT INTO experiments VALUES (?, ?)", (number, location))
            database.execute("INSERT INTO runs VALUES (?)", (f"{location}/run/artifacts",))
        database.execute("INSERT INTO tags VALUES ('project', ?), ('project', 'another'), ('note', ?)", (project,) * 2)
    return f"sqlite:///{file}"


def content(file: Path) -> tuple[list[str], list[str]]:
    """Locations of experiments, and values of tags; fails where a run does not lie in its experiment's folder."""
    with sqlite3.connect(file) as database:
        locations = [place for (place,) in database.execute("SELECT artifact_location FROM experiments")]
        runs = [place for (place,) in database.execute("SELECT artifact_uri FROM runs")]
        assert runs == [f"{place}/run/artifacts" for place in locations]
        return locations, [value for (value,) in database.execute("SELECT value FROM tags")]


def test_a_store_within_a_moved_folder_names_that_folder(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    uri = store(file, "/old place/mlruns/1", "file:///old%20place/mlruns/2", "/old place too/3", "s3://bucket/4")
    for _ in range(2):
        adopt(uri, Identity("p", str(tmp_path), (Former("p", "/old place"),)))
    locations = [f"{tmp_path}/mlruns/1", f"file://{tmp_path}/mlruns/2", "/old place too/3", "s3://bucket/4"]
    assert content(file) == (locations, ["p", "another", "p"])


def test_in_a_copied_store_the_runs_of_the_original_are_the_copys(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    uri = store(file, "/original/mlruns/1", project="original")
    adopt(uri, Identity("copy", str(tmp_path), (Former("original", "/original"),)))
    assert content(file) == ([f"{tmp_path}/mlruns/1"], ["copy", "another", "original"])


def test_of_a_shared_store_only_paths_into_a_folder_that_moved_away_are_mended(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "original").mkdir()
    file = tmp_path / "shared" / "mlflow.db"
    places = (f"{tmp_path}/gone/mlruns/1", f"{tmp_path}/original/mlruns/2", f"{tmp_path}/original gone/mlruns/3")
    uri = store(file, *places, project="original")
    former = [Former("original", f"{tmp_path}/{place}") for place in ("original", "original gone")]
    former.append(Former("copy", f"{tmp_path}/gone"))
    adopt(uri, Identity("copy", f"{tmp_path}/here", tuple(former)))
    assert content(file) == ([f"{tmp_path}/here/mlruns/1", *places[1:]], ["original", "another", "original"])


def test_a_store_of_another_program_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect("mlflow.db") as database:
        database.execute("CREATE TABLE runs (artifact_uri)")
    before = Path("mlflow.db").read_bytes()
    adopt(URI, Identity("p", str(tmp_path), (Former("p", "/old"),)))
    assert Path("mlflow.db").read_bytes() == before

"""A source names the options that are a person's files, which are looked for beside the configuration first."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from heft.errors import HeftError
from heft.registry import added_folder
from heft.workflow.configuration.persons_paths import with_places
from heft.workflow.planning.plan import Plan, load_plan

SOURCE = '''"""lines: a label for each line of each file of a folder."""

from pathlib import Path

from heft.data.sources.declare import RawData, source


@source(paths=("path", "names"))
def lines(data_dir: Path | None, *, path: str, names: str | None = None) -> RawData:
    """The files of a folder."""
    files = {file.name: file for file in sorted(Path(path).rglob("*.txt"))}
    labels = [int(line) for file in files.values() for line in file.read_text().split()]
    return RawData([[float(row)] for row in range(len(labels))], labels, files=files)
'''


@pytest.fixture(autouse=True)
def _registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources/lines.py").write_text(SOURCE)
    for place in ("here/data/deeper", "beside"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "here/data/a.txt").write_text("0 1 0 1")
    (tmp_path / "here/data/deeper/b.txt").write_text("1 1")
    (tmp_path / "beside/c.txt").write_text("1 0")
    monkeypatch.chdir(tmp_path / "here")
    with added_folder("data/sources", tmp_path / "sources"):
        yield


def plan_of(path: str, **further: Any) -> Plan:
    data = {"source": {"lines": {"path": path}}, "noise": {"kind": "none"}}
    definition = {"data": data, "methods": ["loss"], "ensembles": [], "fractions": [0.5], **further}
    return load_plan({"experiments": ["mine"], "definitions": {"mine": definition}}, [Path("../beside/mine.yaml")])


def test_a_path_is_looked_for_beside_the_configuration_and_then_in_the_working_folder(tmp_path: Path) -> None:
    roots = [tmp_path / "beside", tmp_path / "here"]
    assert with_places("data/sources", "lines", {"path": "c.txt"}, roots) == {"path": str(tmp_path / "beside/c.txt")}
    assert with_places("data/sources", "lines", {"path": "data"}, roots) == {"path": "data"}
    assert with_places("data/sources", "lines", {"path": str(tmp_path / "here/data")}, roots) == {"path": "data"}
    assert with_places("data/sources", "lines", {"path": "data", "names": None}, roots) == {
        "path": "data",
        "names": None,
    }


def test_a_path_below_the_home_folder_is_written_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "beside"))
    assert with_places("data/sources", "lines", {"path": "~/c.txt"}, []) == {"path": str(tmp_path / "beside/c.txt")}


def test_a_path_that_is_nowhere_stops_before_any_job_and_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(
        HeftError, match=r'mine\.data\.source\.lines\.path is "dat", which is in none of .*beside, .*her'
    ):
        plan_of("dat")
    with pytest.raises(HeftError, match=r'mine\.data\.source\.lines\.path is "/no/where", where there is nothing'):
        plan_of("/no/where")

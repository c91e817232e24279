"""What a person's own examples look like stands in the page of this machine alone, and in none where they say so."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from report_pages import render_words
from synthetic_report import report_input
from tracking_server import Server, served

from heft.workflow.identity import identity
from heft.workflow.tracking.delivered import DeliveredNote
from heft.workflow.tracking.delivery import Delivery
from heft.workflow.tracking.mlflow_store import Tracker, Unreachable
from heft.workflow.tracking.records import RunRecord
from heft.workflow.tracking.store_address import is_local

PICTURE = "data:image/png;base64"
SAID = "shows examples"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The page, and the one that may be shared, of public data, a person's own, and a person's own that hides them."""
    public = report_input()
    own = replace(public, manifest={**public.manifest, "personal": True})
    made = {}
    for name, report in {"public": public, "own": own, "hidden": replace(own, show_examples=False)}.items():
        folder = tmp_path_factory.mktemp(name)
        made[name] = render_words(report, folder, shared=folder / "shared.html")
        made[f"{name} shared"] = (folder / "shared.html").read_text(encoding="utf-8")
    return made


def test_the_page_of_a_persons_own_data_shows_examples_and_says_so_at_its_top(pages: dict[str, str]) -> None:
    assert PICTURE in pages["own"]
    assert SAID in pages["own"].partition('id="headline"')[0]


def test_the_copy_that_may_be_shared_holds_ids_alone(pages: dict[str, str]) -> None:
    assert PICTURE not in pages["own shared"]
    assert SAID not in pages["own shared"]
    assert "their ids say which they are" in pages["own shared"]
    assert '<p class="id">' in pages["own shared"]


def test_show_examples_false_leaves_them_out_of_the_page_itself(pages: dict[str, str]) -> None:
    assert pages["hidden"] == pages["hidden shared"]
    assert PICTURE not in pages["hidden"]
    assert "show_examples: false" in pages["hidden"]


def test_of_public_data_both_are_the_same_and_nothing_is_said(pages: dict[str, str]) -> None:
    assert pages["public"] == pages["public shared"]
    assert PICTURE in pages["public"]
    assert SAID not in pages["public"]


@pytest.mark.parametrize(
    ("uri", "local"),
    [
        ("sqlite:///mlflow.db", True),
        ("sqlite:////home/me/mlflow.db", True),
        ("sqlite+pysqlite:///mlflow.db", True),
        ("http://127.0.0.1:5000", False),
        ("https://me:secret@tracking.example.org", False),
        ("postgresql+psycopg2://me:secret@127.0.0.1/runs", False),
        ("databricks", False),
        ("", False),
    ],
)
def test_a_store_is_local_where_it_is_a_file(uri: str, local: bool) -> None:
    assert is_local(uri) is local


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("server")) as running:
        yield running


def copied(uri: str) -> dict[str, str]:
    """{name: content} of the files that a store got of a run with private and other files."""
    own = identity()
    for file, content in {
        "index.html": "pictures",
        "shared/index.html": "ids",
        "facts.json": "x",
        "a.csv": "n",
    }.items():
        Path(file).parent.mkdir(exist_ok=True)
        Path(file).write_text(content, encoding="utf-8")
    with RunRecord.start("results/e/record.jsonl", "e", "report") as record:
        record.artifact("index.html", private=True, shared="shared/index.html")
        record.artifact("facts.json", private=True)
        record.artifact("a.csv")
    tracker = Tracker(uri, own.project)
    assert Delivery(tracker, DeliveredNote(uri, own.project), Unreachable).drain(60) == 0
    (run,) = tracker.known_runs("e")
    assert tracker.client.get_run(run["run_id"]).data.tags["sha256.facts.json"].endswith("facts.json")
    names = [file.path for file in tracker.client.list_artifacts(run["run_id"])]
    return {name: Path(tracker.client.download_artifacts(run["run_id"], name)).read_text() for name in names}


@pytest.mark.slow
def test_a_server_gets_the_copy_without_examples_and_no_other_private_file(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert copied(server.url) == {"index.html": "ids", "a.csv": "n"}


@pytest.mark.slow
def test_a_store_on_this_machine_gets_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert copied("sqlite:///mlflow.db") == {"index.html": "pictures", "facts.json": "x", "a.csv": "n"}

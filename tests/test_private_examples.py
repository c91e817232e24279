"""What a person's own examples look like stands in the page of this machine alone, and in none where they say so."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from report_pages import render_words
from synthetic_report import report_input
from tracking_server import Server, served

from heft.pseudonyms import pseudonym, with_pseudonyms
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


def test_the_copy_that_may_be_shared_holds_hashes_of_ids_and_no_names_of_files(pages: dict[str, str]) -> None:
    own, shared = pages["own"], pages["own shared"]
    assert PICTURE not in shared
    assert SAID not in shared
    assert "hashes of their ids tell which they are" in shared
    ids = re.findall('<p class="id">(.*)</p>', own)
    hashes = [hashlib.sha256(name.encode()).hexdigest()[:16] for name in ids]
    assert re.findall('<p class="id">(.*)</p>', shared) == hashes
    assert len(ids) == 36
    assert not [name for name in ids if name in shared]
    assert "SHA-256 of mnist_5k.csv.gz" in own
    assert "mnist_5k.csv.gz" not in shared
    assert "SHA-256 of file 1 of" in shared
    assert "stand for it" in shared.partition('id="headline"')[0]
    assert "stand for it" not in own


def test_sentences_on_labels_and_splits_have_hashes_of_ids_in_the_shared_copy(tmp_path: Path) -> None:
    public = report_input()
    split = replace(
        public.split,
        label_issues="person one = person two",
        notes=["person one ~ person two"],
        shared_label_issues="hidden one = hidden two",
        shared_notes=["hidden one ~ hidden two"],
    )
    own = replace(public, split=split, manifest={**public.manifest, "personal": True})
    page = render_words(own, tmp_path, shared=tmp_path / "shared.html")
    shared = (tmp_path / "shared.html").read_text(encoding="utf-8")
    assert ("person one = person two" in page, "person one ~ person two" in page, "hidden one" in page) == (
        True,
        True,
        False,
    )
    assert ("hidden one = hidden two" in shared, "hidden one ~ hidden two" in shared, "person one" in shared) == (
        True,
        True,
        False,
    )


def test_the_facts_of_a_split_with_pseudonyms_name_no_example() -> None:
    sets = [{"ids": ["person one", "person two"], "labels": [0, 1]}]
    leaked = [{"id": "person one", "like": "person two", "because": "group"}]
    facts = {"conflicting_duplicates": sets, "near_duplicates": sets, "leaked": leaked, "n": 3}
    hidden = with_pseudonyms(facts)
    assert "person one" not in str(hidden)
    assert "person two" not in str(hidden)
    assert hidden["near_duplicates"][0] == {"ids": [pseudonym("person one"), pseudonym("person two")], "labels": [0, 1]}
    assert hidden["leaked"][0]["because"] == "group"
    assert facts["leaked"] == [{"id": "person one", "like": "person two", "because": "group"}]


def test_show_examples_false_leaves_them_out_of_the_page_itself(pages: dict[str, str]) -> None:
    assert PICTURE not in pages["hidden"]
    assert "show_examples: false" in pages["hidden"]
    assert "their ids say which they are" in pages["hidden"]


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

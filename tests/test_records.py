"""Records: what a stage notes survives exceptions, kills and company."""

import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from heft.workflow.tracking import records
from heft.workflow.tracking.records import (
    Dataset,
    RecordedRun,
    RunRecord,
    append_comparison,
    is_open,
    read_deliverable,
    read_events,
    run_key,
)


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def start(path: str = "results/e/record.jsonl", **run: object) -> RunRecord:
    return RunRecord.start(path, "e", "train", **{"seed": 1, **run})


def test_a_key_spells_experiment_seed_stage_variant_action_and_fraction() -> None:
    assert run_key("e", 3, "score", "ip") == "e/seed3/score/ip"
    assert run_key("e", None, "prepare") == "e/prepare"
    assert RecordedRun("e", "evaluate", 0, "ip", "remove", 0.05).key == "e/seed0/evaluate/ip/remove/0.05"
    assert RecordedRun("e", "evaluate", 0, "ip", "remove", 0.05).name == "evaluate ip remove 0.05"


def test_events_are_readable_while_the_run_is_open() -> None:
    with start() as record:
        record.metrics({"train_loss": np.float32(0.5), "nothing": None}, step=3)
        events = read_events(record.path)
        assert [event["event"] for event in events] == ["start", "metrics"]
        assert events[1]["values"] == {"train_loss": 0.5}
        assert is_open(record.path)
    assert read_events(record.path)[-1]["status"] == "FINISHED"
    assert not is_open(record.path)


def test_an_exception_ends_the_run_as_failed_and_keeps_a_copy() -> None:
    with pytest.raises(ZeroDivisionError), start() as record:
        raise ZeroDivisionError("no")
    assert read_events(record.path)[-1]["status"] == "FAILED"
    assert [json.loads(line)["event"] for line in next(records.FAILED.iterdir()).read_text().splitlines()][-1] == "end"


def test_half_a_line_of_a_killed_writer_spoils_nothing() -> None:
    path = Path("results/e/record.jsonl")
    path.parent.mkdir(parents=True)
    path.write_text('{"event": "start", "rec')
    with start():
        pass
    assert [event["event"] for event in read_events(path)] == ["start", "end"]


def test_an_artifact_is_noted_with_size_and_hash() -> None:
    Path("facts.json").write_text("{}")
    with start() as record:
        record.artifact("facts.json")
    event = read_events(record.path)[1]
    assert (event["path"], event["size"], len(event["sha256"])) == ("facts.json", 2, 64)


def write_many(number: int) -> None:
    for index in range(20):
        with RunRecord.start("results/e/record.jsonl", "e", "score", seed=number, variant=f"v{index}") as record:
            record.metrics({"value": index})


@pytest.mark.slow
def test_eight_processes_that_share_a_record_lose_nothing() -> None:
    with multiprocessing.get_context("spawn").Pool(8) as pool:
        pool.map(write_many, range(8))
    events = read_events("results/e/record.jsonl")
    assert len(events) == 8 * 20 * 3
    assert len({event["key"] for event in events if event["event"] == "start"}) == 160


def test_each_row_of_the_comparison_becomes_a_finished_run_with_its_numbers_as_metrics() -> None:
    row = {"experiment": "e", "seed": 0, "variant": "ip", "method": "ip", "ensemble": "", "members": 1, "options": "{}"}
    row |= {"action": "remove", "fraction": 0.1, "chosen": True, "test_accuracy": 0.9, "lds": ""}
    append_comparison("results/e/record.jsonl", [row, row | {"fraction": 0.2, "chosen": False}])
    events = read_events("results/e/record.jsonl")
    assert [event["event"] for event in events] == ["start", "metrics", "end"] * 2
    assert events[0]["parameters"]["variant"] == "ip"
    assert events[1]["values"]["test_accuracy"] == 0.9
    assert events[1]["values"]["chosen"] == 1.0
    assert "lds" not in events[1]["values"]


def test_a_line_that_is_no_event_is_named_and_leaves_the_others(tmp_path: Path) -> None:
    path = Path("results/e/record.jsonl")
    with start(dataset=Dataset("digits", "ab"), fraction=0.1, parents=["e/prepare"]) as record:
        record.metrics({"loss": float("nan"), "count": np.int64(3)}, step=1)
        Path("facts.json").write_text("{}")
        record.artifact("facts.json")
    whole = path.read_bytes().splitlines()
    faults = {
        b"\xff": "it is not JSON",
        b"{}": "it is not an event",
        b'{"event": "stop", "record": "1", "time": 1}': "`event` is 'stop'; known: start, metrics, artifact, end",
        b'{"event": "end"}': "`end` has no `record`",
        b'{"event": "end", "record": "\'", "time": 1}': '`record` of `end` cannot be "\'"',
        b'{"event": "end", "record": "1", "time": NaN}': "`time` of `end` cannot be 'nan'",
        whole[1].replace(b'"step": 1', b'"step": 9223372036854775808'): "`step` of `metrics` cannot be '922337203685",
        whole[1].replace(b"3.0", b"1" * 400): "`values` of `metrics` cannot be",
        whole[1].replace(b"3.0", b'"three"'): "`values` of `metrics` cannot be",
        whole[0].replace(b'"name": "digits"', b'"name": "\\ud800"'): "`dataset` of `start` cannot be",
        whole[0].replace(b'"parents": ["e/prepare"]', b'"parents": 5'): "`parents` of `start` cannot be '5'",
        whole[2].replace(b"facts.json", b"\\u0000"): "`path` of `artifact` cannot be",
    }
    path.write_bytes(b"\n".join([*whole, *faults, b""]))
    events, sentences = read_deliverable(path)
    assert [event["event"] for event in events] == ["start", "metrics", "artifact", "end"]
    assert sorted(sentences) == list(range(5, 5 + len(faults)))
    for number, fault in zip(sorted(sentences), faults.values(), strict=True):
        assert sentences[number].startswith(fault), (number, sentences[number])

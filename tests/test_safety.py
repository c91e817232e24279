"""Nothing that Heft reads can run code, and no name that it reads becomes markup, a formula or a path."""

import gzip
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from workspace import ROOT, TINY, Workspace

from heft.artifacts import read_json, read_parquet, read_tensors
from heft.checksum import BLANK, fill_in
from heft.errors import HeftError
from heft.workflow.tracking.mlflow_store import Tracker
from heft.workflow.tracking.records import read_events


class Touch:
    """Unpickled, it makes the file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.marker,)


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "code ran"


def parquet_with_a_pickled_type(file: Path, payload: bytes) -> None:
    metadata = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": payload}
    field = pa.field("x", pa.int64(), metadata=metadata)
    pq.write_table(pa.table([pa.array([1])], schema=pa.schema([field], metadata={"checksum": BLANK})), file)
    fill_in(file)


def test_a_pickle_under_any_name_is_refused_and_not_run(tmp_path: Path, marker: Path) -> None:
    payload = pickle.dumps(Touch(marker))
    for name, read in (("a.json", read_json), ("a.parquet", read_parquet), ("a.safetensors", read_tensors)):
        (tmp_path / name).write_bytes(payload)
        with pytest.raises(HeftError, match=name):
            read(tmp_path / name)
    parquet_with_a_pickled_type(tmp_path / "typed.parquet", payload)
    assert read_parquet(tmp_path / "typed.parquet")["x"].tolist() == [1]
    assert not marker.exists()
    pickle.loads(payload)
    assert marker.exists(), "the payload of this test does nothing"


@pytest.mark.parametrize(
    "content",
    [
        (2**62).to_bytes(8, "little") + b"{}",
        (8).to_bytes(8, "little") + b'{"a": 1}',
        len(header := b'{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4]}}').to_bytes(8, "little")
        + header
        + bytes(4),
    ],
    ids=["a header longer than the file", "a header of another form", "a shape beyond the data"],
)
def test_a_damaged_safetensors_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "states.safetensors"
    file.write_bytes(content)
    with pytest.raises(HeftError, match=r"states.safetensors is damaged, or was made by an older version"):
        read_tensors(file)
    with pytest.raises(HeftError, match=r"states.safetensors is not a readable safetensors file"):
        read_tensors(file, verified=False)


def test_json_too_deep_to_read_is_one_sentence_and_in_a_record_passed_over(tmp_path: Path) -> None:
    deep = "[" * 200_000
    (tmp_path / "facts.json").write_text(f"{deep}{BLANK}")
    fill_in(tmp_path / "facts.json")
    with pytest.raises(HeftError, match=r"facts.json is not valid JSON"):
        read_json(tmp_path / "facts.json")
    good = {"event": "metrics", "values": {}}
    (tmp_path / "record.jsonl").write_text("\n".join([deep, "5", '"event"', "{}", json.dumps(good), ""]))
    assert read_events(tmp_path / "record.jsonl") == [good]


@pytest.mark.slow
def test_a_small_file_that_decompresses_to_much_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    bomb = tmp_path / "train-labels-idx1-ubyte.gz"
    with gzip.open(bomb, "wb", compresslevel=1) as opened:
        for _ in range(2_000):
            opened.write(bytes(2**20))
    program = (
        "import resource, sys; from pathlib import Path; from heft.data.sources.fashion_mnist import read_idx\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, 2 * 2**30))\n"
        "read_idx(Path(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow_scripts"), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", program, bomb], env=environment, capture_output=True, text=True)
    assert "is not what is expected (changed or truncated)" in done.stderr
    assert "MemoryError" not in done.stderr


@pytest.mark.slow
def test_a_configuration_with_a_python_tag_is_refused_and_not_run(tmp_path: Path, marker: Path) -> None:
    workspace = Workspace(tmp_path / "project", TINY)
    with (workspace.folder / "small.yaml").open("a") as opened:
        opened.write(
            f"data_dir: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{marker}']]\n"
        )
    printed = workspace.run("-n", expect=1)
    assert "Config file is not valid JSON or YAML" in printed
    assert not marker.exists()


def test_records_copy_no_file_from_outside_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "secret").write_text("secret")
    (project / "own.json").write_text("{}")
    (project / "link.json").symlink_to(tmp_path / "secret")
    monkeypatch.chdir(project)
    copied: list[str] = []
    tracker = Tracker("sqlite:///unused.db", "project")
    client = SimpleNamespace(log_artifact=lambda run, path: copied.append(path), set_tag=lambda *_: None)
    monkeypatch.setitem(tracker.__dict__, "client", client)
    for path in ("../secret", str(tmp_path / "secret"), "link.json", "/etc/passwd", "own.json"):
        tracker.log("run", [{"event": "artifact", "path": path, "size": 1, "sha256": "00"}])
    assert copied == ["own.json"]


@pytest.mark.slow
def test_the_ui_listens_on_this_machine_alone_and_nothing_is_reported_to_mlflow(tmp_path: Path) -> None:
    program = (
        "import json, os, sys, ui\n"
        "command, environment = ui.server('postgresql://me:s3cret@host/runs', '5000', os.environ)\n"
        "print(json.dumps([command, environment]))\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment["PYTHONPATH"] = str(ROOT / "workflow_scripts")
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, cwd=tmp_path
    )
    command, environment = json.loads(done.stdout)
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert "s3cret" not in " ".join(command)

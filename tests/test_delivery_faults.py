"""A delivery that is killed, kept out, or meets a full disk, a silent store or a jumping clock delivers once."""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from memory_store import PATH, ROW, MemoryStore, delivery, no_wait, only_run, record

from heft.workflow.tracking.delivered import DeliveredNote
from heft.workflow.tracking.delivery import PATIENCE_SECONDS
from heft.workflow.tracking.records import append_comparison


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    monkeypatch.chdir(tmp_path)
    return MemoryStore()


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, and what was in memory is lost."""


@dataclass
class KilledAt:
    """Kills at the `step`-th call that changes store or note: before its effect, after it, or in its midst."""

    step: int
    when: str
    calls: int = 0

    def wrap(self, call: Callable[..., Any], halfway: Callable[..., None]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls - 1 != self.step:
                return call(*arguments, **named)
            if self.when == "after":
                call(*arguments, **named)
            elif self.when == "halfway":
                halfway(*arguments)
            raise Killed

        return wrapped


def half_a_line(note: DeliveredNote, path: Path, *_: Any) -> None:
    with note.path.open("a") as file:
        file.write(f'\n{{"file": "{path}')


def nothing(*_: Any) -> None:
    """A call to the store has no half."""


def deliver_killed_at(store: MemoryStore, monkeypatch: pytest.MonkeyPatch, killed: KilledAt) -> bool:
    """Delivers until it is killed at that step; False where there are fewer steps."""
    with monkeypatch.context() as patched:
        for name in ("create_run", "log", "end_run", "supersede"):
            patched.setattr(MemoryStore, name, killed.wrap(getattr(MemoryStore, name), nothing))
        patched.setattr(DeliveredNote, "delivered", killed.wrap(DeliveredNote.delivered, half_a_line))
        try:
            delivery(store).drain(5, no_wait)
        except Killed:
            return True
    return False


@pytest.mark.parametrize("when", ["before", "halfway", "after"])
@pytest.mark.parametrize("note_is_lost", [False, True])
def test_a_delivery_that_is_killed_at_any_step_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str, note_is_lost: bool
) -> None:
    step, killed = 0, True
    while killed:
        store = MemoryStore()
        folder = tmp_path / str(step)
        folder.mkdir()
        monkeypatch.chdir(folder)
        path = Path("results/e/seed0/metrics/ip.record.jsonl")
        for rows in ([0.1, 0.3], [0.1, 0.2]):  # the second time, one row is made anew, one new, one gone
            path.unlink(missing_ok=True)
            append_comparison(path, [ROW | {"action": "remove", "fraction": f, "test_loss": f} for f in rows])
            if rows[1] == 0.3:
                with record() as run:
                    run.metrics({"loss": 1.0}, step=1)
                assert delivery(store).drain(5, no_wait) == 0
        if note_is_lost:
            for note in Path(".heft").glob("delivered-*"):
                note.unlink()
        killed = deliver_killed_at(store, monkeypatch, KilledAt(step, when))
        assert delivery(store).drain(5, no_wait) == 0
        current = {run["key"]: run for run in store.runs.values() if run["superseded"] == "false"}
        assert len(store.runs) == 5, f"killed at step {step}"
        assert sorted(current) == ["e/seed0/evaluate/ip/remove/0.1", "e/seed0/evaluate/ip/remove/0.2", "e/seed0/train"]
        assert {run["status"] for run in store.runs.values()} == {"FINISHED"}
        assert all(len(run["metrics"]) == 1 for run in current.values())
        step += 1
    assert step > 10


def test_a_store_that_keeps_this_account_out_is_not_waited_for(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(*_: Any) -> None:
        raise PermissionError

    with record():
        pass
    with monkeypatch.context() as denying:
        denying.setattr(MemoryStore, "known_runs", deny)
        denying.setattr(MemoryStore, "reachable", lambda _: False)
        waits: list[float] = []
        denied = delivery(store, (OSError,))
        assert denied.drain(60, waits.append) == 1
        assert (waits, type(denied.failure)) == ([], PermissionError)
    assert delivery(store).drain(5, no_wait) == 0
    assert only_run(store)["status"] == "FINISHED"


def test_a_full_disk_is_not_waited_for_and_nothing_is_taken_for_delivered(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with record():
        pass
    assert delivery(store).drain(5, no_wait) == 0
    Path(PATH).unlink()
    with record():
        pass

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("supersede", "create_run", "log", "end_run"):
        with monkeypatch.context() as filled:
            filled.setattr(MemoryStore, name, full)
            waits: list[float] = []
            assert delivery(store, (OSError,)).drain(60, waits.append) == 1
            assert waits == []
    with monkeypatch.context() as filled:
        filled.setattr(DeliveredNote, "delivered", full)
        assert delivery(store, (OSError,)).drain(60, no_wait) == 1
    assert delivery(store).drain(5, no_wait) == 0
    assert [(run["status"], run["superseded"]) for run in store.runs.values()] == [
        ("FINISHED", "true"),
        ("FINISHED", "false"),
    ]


def test_a_store_that_does_not_answer_is_waited_for_only_a_short_while_at_the_end_of_a_run(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("heft.workflow.tracking.delivery.time.monotonic", lambda: clock[0])
    with record():
        pass
    store.down = True
    assert delivery(store).drain(60, lambda seconds: clock.__setitem__(0, clock[0] + seconds)) == 1
    assert 5 < clock[0] <= PATIENCE_SECONDS
    store.down = False
    assert delivery(store).drain(60, no_wait) == 0
    assert only_run(store)["status"] == "FINISHED"


def test_a_clock_that_is_set_back_neither_lengthens_the_drain_nor_lets_a_run_end_before_its_start(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    ends: list[float | None] = []
    end_run = MemoryStore.end_run

    def noting(self: MemoryStore, run_id: str, status: str, seconds: float | None = None, error: str = "") -> None:
        ends.append(seconds)
        end_run(self, run_id, status, seconds, error)

    monkeypatch.setattr(MemoryStore, "end_run", noting)
    with record() as run:
        now[0] -= 3600
        run.metrics({"loss": 1.0}, step=1)
    os.utime(PATH, (now[0] + 10_000, now[0] + 10_000))
    following = delivery(store)
    assert following.drain(5, no_wait) == 0
    assert following.drain(5, no_wait) == 0
    assert ends == [1_000_000.0]
    assert only_run(store)["metrics"] == [(1, {"loss": 1.0})]

"""deliver: turns the records of this folder into MLflow runs while a run lives; with --once, those that are there.

Started with a pipe as its stdin: end of file says that the run ended, or was killed. Then it delivers the rest, for at
most a minute. One such process at a time. Its status is one of `heft.workflow.tracking.deliverer`.
"""

import fcntl
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import NoReturn, TextIO

from heft.errors import HeftError
from heft.faults import is_disk_full
from heft.workflow.identity import identity
from heft.workflow.places import STATE
from heft.workflow.runtime.full_disk import SAID, first_to_say_full
from heft.workflow.tracking.delivered import DeliveredNote
from heft.workflow.tracking.deliverer import DRAIN_SECONDS, FAILED, GRACE_SECONDS, LATER, SENDS, counted
from heft.workflow.tracking.delivery import Delivery
from heft.workflow.tracking.local_store import adopt
from heft.workflow.tracking.mlflow_store import Tracker, Unreachable
from heft.workflow.tracking.store_address import tracking_uri, without_password
from heft.workflow.tracking.store_errors import is_down, reason_of

POLL_SECONDS = 1.0
LONGEST_POLL_SECONDS = 30.0
LOG = Path("logs/deliver.log")


def main() -> None:
    """Delivers until the end of stdin, or once; an unexpected error is a sentence, its traceback goes into a log."""
    once, uri = "--once" in sys.argv, tracking_uri()
    os.nice(10)
    try:
        deliver(uri, once)
    except HeftError as error:
        end(str(error), FAILED)
    except Unreachable as error:
        end_waiting("The records wait", uri, once, error)
    except Exception as error:
        LOG.parent.mkdir(exist_ok=True)
        LOG.write_text(traceback.format_exc(), encoding="utf-8")
        end(f"The delivery failed unexpectedly ({type(error).__name__}; see {LOG}); the records wait, and {SENDS}.")


def deliver(uri: str, once: bool) -> None:
    """Delivers all, under the lock of the folder; ends the process where something waits."""
    run_ended, drained = threading.Event(), threading.Event()
    threading.Thread(target=keep_time, args=(run_ended, drained, once, uri), daemon=True).start()
    STATE.mkdir(exist_ok=True)
    with (STATE / "deliver.lock").open("a+") as lock:
        if not take(lock, run_ended, wait=not once):
            end_kept_out(lock, once)
        project = identity()
        adopt(uri, project)
        note = DeliveredNote(uri, project.project)
        note.shorten()
        delivery = Delivery(Tracker(uri, project.project), note, Unreachable, lambda text: print(text, file=sys.stderr))
        follow(delivery, run_ended)
        waiting = delivery.drain(DRAIN_SECONDS)
        drained.set()
    if waiting:
        end_waiting(counted(waiting), uri, once, delivery.failure or next(iter(delivery.refused.values()), None))
    if once:
        print(f"Runs delivered to {without_password(uri)}: {delivery.n_delivered}")


def keep_time(run_ended: threading.Event, drained: threading.Event, once: bool, uri: str) -> None:
    """Waits for the end of stdin; ends the process where a call to the store hangs then, which loses nothing."""
    while not once and os.read(0, 4096):
        pass
    run_ended.set()
    if not drained.wait(DRAIN_SECONDS + GRACE_SECONDS):
        print(sentence("Some records wait", uri, " (a call to it did not end)"), file=sys.stderr, flush=True)
        os._exit(FAILED)


def take(lock: TextIO, run_ended: threading.Event, wait: bool) -> bool:
    """Takes the lock and notes who holds it; waits for the delivery of a killed run, which ends within its own time."""
    left = DRAIN_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait or left <= 0:
                return False
            time.sleep(POLL_SECONDS)
            left -= POLL_SECONDS if run_ended.is_set() else 0
        else:
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            return True


def end_kept_out(lock: TextIO, once: bool) -> NoReturn:
    """Ends the process where another delivery holds the lock; by then, one that was waited for hangs."""
    lock.seek(0)
    other = f"Another delivery is under way in this folder (process {lock.read().strip() or 'unknown'})"
    if once:
        end(f"{other}; it sends all records.", LATER)
    end(f"{other} and does not end: the records wait; end that process, and {SENDS}.")


def follow(delivery: Delivery, run_ended: threading.Event) -> None:
    """Delivers what is new each second, less often where the store is down, until the run ends."""
    delay = POLL_SECONDS
    while not run_ended.wait(delay):
        delay = POLL_SECONDS if delivery.poll(run_ended.is_set) else min(2 * delay, LONGEST_POLL_SECONDS)


def end_waiting(counted: str, uri: str, once: bool, error: Exception | None) -> NoReturn:
    """Ends the process with the sentence of what waits; without one where the run has said that the disk is full."""
    full = error is not None and is_disk_full(error)
    if not once and (SAID.exists() or (full and not first_to_say_full())):
        sys.exit(FAILED)  # SQLite's own words for it are many
    reason = f" ({reason_of(error, uri)})" if error else ""
    end(sentence(counted, uri, reason), LATER if error is None or is_down(error) else FAILED)


def sentence(counted: str, uri: str, reason: str = "") -> str:
    """What a person reads where something could not be delivered."""
    return f"{counted} for the tracking store {without_password(uri)}{reason}; {SENDS}."


def end(text: str, status: int = FAILED) -> NoReturn:
    """Ends the process with a sentence on stderr."""
    print(text, file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    main()

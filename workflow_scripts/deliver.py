"""deliver: turns the records of this folder into MLflow runs while a run lives; with --once, those that are there.

Started with a pipe as its stdin: end of file says that the run ended, or was killed. Then it delivers the rest, for at
most a minute. One such process at a time.
"""

import fcntl
import os
import sys
import threading
from typing import TextIO

from heft.delivery import STATE, Delivery
from heft.faults import SAID, first_to_say_full, is_disk_full
from heft.ledger import Ledger
from heft.tracking import Tracker, Unreachable, reason_of, tracking_uri, without_password

POLL_SECONDS = 1.0
LONGEST_POLL_SECONDS = 30.0
DRAIN_SECONDS = 60.0
GRACE_SECONDS = 10.0


def main() -> None:
    """Delivers until the end of stdin, or once."""
    once = "--once" in sys.argv
    os.nice(10)
    STATE.mkdir(exist_ok=True)
    uri = tracking_uri()
    run_ended, drained = threading.Event(), threading.Event()
    threading.Thread(target=keep_time, args=(run_ended, drained, once, uri), daemon=True).start()
    with (STATE / "deliver.lock").open("w") as lock:
        if not take(lock, wait=not once):
            print("A delivery is under way in this folder; it sends all records before it ends.")
            return
        delivery = Delivery(Tracker(uri), Ledger(uri, STATE), Unreachable)
        follow(delivery, run_ended)
        waiting = delivery.drain(DRAIN_SECONDS)
        drained.set()
    if waiting:
        counted = "1 record waits" if waiting == 1 else f"{waiting} records wait"
        error = delivery.failure or next(iter(delivery.refused.values()), None)
        if not once and (SAID.exists() or (error and is_disk_full(error) and not first_to_say_full())):
            sys.exit(1)  # the run has said that the disk is full; SQLite's own words for it are many
        sys.exit(sentence(counted, uri, f" ({reason_of(error)})" if error else ""))
    if once:
        print(f"Runs delivered to {without_password(uri)}: {delivery.n_delivered}")


def keep_time(run_ended: threading.Event, drained: threading.Event, once: bool, uri: str) -> None:
    """Waits for the end of stdin; ends the process where a call to the store hangs then (the ledger outlives that)."""
    while not once and os.read(0, 4096):
        pass
    run_ended.set()
    if not drained.wait(DRAIN_SECONDS + GRACE_SECONDS):
        print(sentence("Some records wait", uri), file=sys.stderr, flush=True)
        os._exit(1)


def take(lock: TextIO, wait: bool) -> bool:
    """Takes the lock; `snakemake deliver` does not wait for the delivery that its own run started."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def follow(delivery: Delivery, run_ended: threading.Event) -> None:
    """Delivers what is new each second, less often where the store is down, until the run ends."""
    delay = POLL_SECONDS
    while not run_ended.wait(delay):
        delay = POLL_SECONDS if delivery.poll(run_ended.is_set) else min(2 * delay, LONGEST_POLL_SECONDS)


def sentence(counted: str, uri: str, reason: str = "") -> str:
    """What a person reads where something could not be delivered."""
    return (
        f"{counted} for the tracking store {without_password(uri)}{reason}; "
        "`snakemake deliver` sends them, as does the next run that has something to do."
    )


if __name__ == "__main__":
    main()

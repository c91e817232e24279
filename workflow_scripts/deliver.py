"""deliver: turns the records of this folder into MLflow runs while a run lives; with --once, those that are there.

Started with a pipe as its stdin: end of file says that the run ended, or was killed. Then it delivers the rest, for at
most a minute. One such process at a time.
"""

import fcntl
import os
import select
import sys

from heft.delivery import STATE, Delivery, Ledger
from heft.tracking import Tracker, Unreachable, tracking_uri

POLL_SECONDS = 1.0
DRAIN_SECONDS = 60.0


def main() -> None:
    """Delivers until the end of stdin, or once."""
    once = "--once" in sys.argv
    os.nice(10)
    STATE.mkdir(exist_ok=True)
    with (STATE / "deliver.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        uri = tracking_uri()
        delivery = Delivery(Tracker(uri), Ledger(uri), Unreachable)
        while not once and not select.select([sys.stdin], [], [], POLL_SECONDS)[0]:
            delivery.poll()
        waiting = delivery.drain(DRAIN_SECONDS)
    if waiting:
        sys.exit(f"{waiting} records wait for the tracking store {uri}; `snakemake deliver` sends them later.")
    if once:
        print(f"{delivery.n_delivered} runs delivered to {uri}")


if __name__ == "__main__":
    main()

"""Ends a run within seconds when it is told to stop, by Ctrl-C or SIGTERM, whatever its jobs do.

Snakemake's own handler of SIGTERM waits for all running jobs; and it takes a lock that the interrupted thread may hold,
and then waits for itself, with the run's lock, without end.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import NoReturn

import psutil

TOLD_BY = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """Listens for the two signals from `listen` on; `spared` are the processes that end by themselves with the run.

    job_seconds: that a job has to note its end. end_seconds: that the run has after that.
    """

    def __init__(self, job_seconds: float = 6.0, end_seconds: float = 4.0) -> None:
        self.spared: list[int] = []
        self._job_seconds, self._end_seconds = job_seconds, end_seconds
        self._told = False

    def listen(self) -> None:
        """In the main thread. Told once, the run is interrupted, its jobs too; told again, it ends at once.

        The thread that watches learns of a signal even where the main thread cannot, since it waits for something.
        """
        reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in TOLD_BY:
            signal.signal(number, self._interrupt)
        sys.excepthook = without_interrupts(sys.excepthook)
        threading.Thread(target=self._watch, args=(reader,), daemon=True).start()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if not self._told:
            self._told = True
            raise KeyboardInterrupt

    def _watch(self, reader: socket.socket) -> None:
        first = next_signal(reader)
        threading.Thread(target=self._end_in_time, args=(first,), daemon=True).start()
        self._end_now(next_signal(reader))

    def _end_in_time(self, number: int) -> None:
        """A terminal interrupts the jobs by itself; who sends a signal sends it to the run alone."""
        if number == signal.SIGINT:
            time.sleep(0.5)
        self._signal_jobs(signal.SIGINT)
        time.sleep(self._job_seconds)
        self._signal_jobs(signal.SIGTERM)
        time.sleep(self._end_seconds)
        self._end_now(number)

    def _signal_jobs(self, number: signal.Signals) -> None:
        for process in psutil.Process().children(recursive=True):
            if process.pid not in self.spared:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(number)

    def _end_now(self, number: int) -> NoReturn:
        """Without what follows the end of a thread: the locks go with the process, the rest is told by its pipes."""
        self._signal_jobs(signal.SIGKILL)
        os._exit(128 + number)


def without_interrupts(hook: Callable[..., None]) -> Callable[..., None]:
    """The same hook; of an interrupt that nothing caught, it says nothing: the person knows."""

    def shown(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            hook(kind, error, trace)

    return shown


def next_signal(reader: socket.socket) -> int:
    """Number of the next signal that tells the run to stop."""
    while (number := reader.recv(1)[0]) not in TOLD_BY:
        pass
    return number

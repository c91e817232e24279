"""A warm process for the jobs of a run: it has imported torch and pandas once, and forks a child for each job.

Importing torch takes longer than most jobs. `serve` listens on a socket whose path is in the environment variable
HEFT_WARM; a job that finds it sends the path of its script, its folder, its environment and its standard streams
(`hand_over.py`), and ends with the status of the child that ran it. Where there is no such process (another machine,
one that was killed or switched off) the script runs in a child of the job itself (`launch.py`); the results are the
same. A child whose sender or whose run is gone ends too, so that nothing is written behind the back of the run. Of a
run, all jobs see the code that its start saw.
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from heft.workflow.runtime.hand_over import LENGTH_BYTES
from heft.workflow.runtime.job_process import GRACE_SECONDS, run_and_exit

TAKEN = b"+"
# What stages import, and what torch imports by itself at the first backward pass and the first tangent.
PRELOADED = (
    "torch",
    "torch.fx.experimental.symbolic_shapes",
    "torch._decomp.decompositions_for_jvp",
    "pandas",
    "pyarrow.parquet",
    "pyarrow.vendored.version",
    "safetensors.torch",
    "snakemake.script",
    "heft.scoring.members",
    "heft.curation.retrain",
    "heft.evaluation.rows",
)


def serve(address: str, preloaded: Iterable[str] = PRELOADED) -> None:
    """Runs scripts that are sent to `address` until the end of stdin, which says that the run ended or was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    children: dict[int, socket.socket] = {}
    with socket.socket(socket.AF_UNIX) as listener, _children_ended() as ended:
        listener.bind(address)
        listener.listen(128)
        _import(preloaded)
        gc.freeze()
        while sys.stdin not in (ready := select.select([listener, sys.stdin, ended], [], [])[0]):
            if ended in ready:
                ended.recv(4096)
                _tell_of_signals(children)
            if listener in ready:
                connection, _ = listener.accept()
                if (child := os.fork()) == 0:
                    for other in (listener, *children.values()):
                        other.close()
                    _take_script(connection)
                children[child] = connection
    with suppress(FileNotFoundError):  # the run was killed, and the next one has tidied up after it
        os.unlink(address)
    _end(children)


@contextmanager
def _children_ended() -> Iterator[socket.socket]:
    """A socket with something to read after a child has ended."""
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        yield reader
        signal.set_wakeup_fd(-1)


def _import(modules: Iterable[str]) -> None:
    """What cannot be imported here (memory may be short), a job says that needs it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, message=".*torch.jit.script.*")
        for module in modules:
            with suppress(Exception):
                importlib.import_module(module)


def _tell_of_signals(children: dict[int, socket.socket]) -> None:
    """Takes out those that ended; tells the sender of one that a signal ended, which could not do so itself."""
    for child in list(children):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            with children.pop(child) as connection:
                if os.WIFSIGNALED(status):
                    with suppress(OSError):
                        connection.send(bytes([128 + os.WTERMSIG(status)]))


def _end(children: dict[int, socket.socket]) -> None:
    """Interrupts those that still run, so that they note their end; kills them where that takes long."""
    for child in children:
        os.kill(child, signal.SIGINT)
    end = time.monotonic() + GRACE_SECONDS
    while children and time.monotonic() < end:
        time.sleep(0.05)
        _tell_of_signals(children)
    for child in children:
        os.kill(child, signal.SIGKILL)


def _take_script(connection: socket.socket) -> None:
    """The child: takes the sender's script, folder, environment and streams, and runs it."""
    signal.set_wakeup_fd(-1)
    length, streams, _, _ = socket.recv_fds(connection, LENGTH_BYTES, 3)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    with connection.makefile("rb") as sent:
        folder, environment, job = json.loads(sent.read(int.from_bytes(length)))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # TMPDIR may be another one
    connection.send(TAKEN)
    run_and_exit(connection, *job)

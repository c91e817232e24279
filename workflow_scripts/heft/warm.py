"""A warm process for the jobs of a run: it has imported torch and pandas once, and forks a child for each job.

Importing torch takes longer than most jobs. `serve` listens on a socket whose path is in the environment variable
HEFT_WARM; a stage script that finds it (`hand_over`) sends its own path and its standard streams, and ends with the
status of the child that ran it. Where there is no such process (another machine, a script run by hand, one that was
killed) the stage runs in its own process; the results are the same. A child whose sender is gone ends too, so that
nothing is written behind the back of the run. Of a run, all jobs see the code that its start saw.
"""

import gc
import importlib
import os
import runpy
import select
import signal
import socket
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Iterable
from contextlib import suppress

from heft.faults import KILLED_STATUS

VARIABLE = "HEFT_WARM"
TAKEN = b"+"
GRACE_SECONDS = 5.0
# What stages import, and what torch imports by itself at the first backward pass and the first tangent.
PRELOADED = (
    "torch",
    "torch.fx.experimental.symbolic_shapes",
    "torch._decomp.decompositions_for_jvp",
    "pandas",
    "pyarrow.parquet",
    "safetensors.torch",
    "snakemake.script",
)


def hand_over(script: str) -> int | None:
    """Exit status of `script`, run by the warm process; None where none took it, 137 where its child was killed."""
    address = os.environ.get(VARIABLE, "")
    if not os.path.exists(address):
        return None
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(address)
            socket.send_fds(connection, [script.encode()], [0, 1, 2])
        except OSError:
            return None
        if not _receive(connection):
            return None
        status = _receive(connection)
    return status[0] if status else KILLED_STATUS


def _receive(connection: socket.socket) -> bytes:
    """The next byte; nothing where the other side is gone."""
    try:
        return connection.recv(1)
    except ConnectionError:
        return b""


def serve(address: str, preloaded: Iterable[str] = PRELOADED) -> None:
    """Runs scripts that are sent to `address` until the end of stdin, which says that the run ended or was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(128)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning, message=".*torch.jit.script.*")
            for module in preloaded:
                importlib.import_module(module)
        gc.freeze()
        while sys.stdin not in (ready := select.select([listener, sys.stdin], [], [])[0]):
            if listener in ready:
                connection, _ = listener.accept()
                if os.fork() == 0:
                    listener.close()
                    _run_and_exit(connection)
                connection.close()
    with suppress(FileNotFoundError):  # the run was killed, and the next one has tidied up after it
        os.unlink(address)


def _run_and_exit(connection: socket.socket) -> None:
    """The child: takes the sender's streams, runs the script, reports its status; skips torch's slow teardown."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    script, streams, _, _ = socket.recv_fds(connection, 4096, 3)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.pop(VARIABLE, None)
    connection.send(TAKEN)
    threading.Thread(target=_end_with_sender, args=(connection,), daemon=True).start()
    status = _status_of(script.decode())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):  # a full disk behind a redirected stream
        sys.stdout.flush()
        sys.stderr.flush()
    with suppress(ConnectionError):
        connection.send(bytes([status]))
    os._exit(status)


def _end_with_sender(connection: socket.socket) -> None:
    """Interrupts this process when its sender is gone, so that it notes its end; kills it where that takes long."""
    if not _receive(connection):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(GRACE_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)


def _status_of(script: str) -> int:
    sys.argv = [script]
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
            return 1
        return int(ended.code or 0)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Exception:
        traceback.print_exc()
        return 1
    return 0

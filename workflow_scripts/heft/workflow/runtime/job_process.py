"""The process in which the script of one job runs: forked by the warm process, or by the job itself.

It ends when the job that asked for it ends, so that nothing is written behind the back of the run.
"""

import os
import runpy
import signal
import socket
import sys
import threading
import time
import traceback
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import NoReturn

from heft.workflow.runtime.hand_over import VARIABLE, receive
from heft.workflow.runtime.job_end import INTERRUPTED_STATUS, guarded

GRACE_SECONDS = 5.0


def run_and_exit(connection: socket.socket, script: str, rule: str, log: str) -> NoReturn:
    """Runs the script in this process, reports its status; ends with its sender; skips torch's slow teardown."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.pop(VARIABLE, None)
    status = _status_of(script, rule, log, connection)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):  # a full disk behind a redirected stream
        sys.stdout.flush()
        sys.stderr.flush()
    with suppress(OSError):
        connection.send(bytes([status]))
    os._exit(status)


def _end_with_sender(connection: socket.socket) -> None:
    """Interrupts this process when its sender is gone, so that it notes its end; kills it where that takes long."""
    if not receive(connection):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(GRACE_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)


def _status_of(script: str, rule: str, log: str, connection: socket.socket) -> int:
    sys.argv = [script]
    try:
        with guarded(rule, Path(log)) if log else nullcontext():
            signal.signal(signal.SIGINT, signal.default_int_handler)
            threading.Thread(target=_end_with_sender, args=(connection,), daemon=True).start()
            runpy.run_path(script, run_name="__main__")
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
            return 1
        return int(ended.code or 0)
    except KeyboardInterrupt:
        return INTERRUPTED_STATUS
    except Exception:
        traceback.print_exc()
        return 1
    return 0

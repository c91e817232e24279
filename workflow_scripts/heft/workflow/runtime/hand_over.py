"""Hands a script over to the warm process of a run (`fork_server.py`), and waits for its end.

Every job begins here and imports nothing that it can do without: most jobs are short.
"""

import json
import os
import signal
import socket

VARIABLE = "HEFT_WARM"  # of the environment: path of the warm process's socket
KILLED_STATUS = 128 + signal.SIGKILL  # as in heft.faults, which imports more than a short job needs
LENGTH_BYTES = 4  # that tell the length of what is sent; an environment may be longer than a buffer


def hand_over(script: str, rule: str = "", log: str = "") -> int | None:
    """Exit status of `script`, run by the warm process; None where none took it, 128 + number where a signal ended it.

    rule, log: of the job, whose end the child writes into the log; nothing for a script that is no job.
    """
    address = os.environ.get(VARIABLE, "")
    if not os.path.exists(address):
        return None
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(address)
            message = json.dumps([os.getcwd(), dict(os.environ), [script, rule, log]]).encode()
            socket.send_fds(connection, [len(message).to_bytes(LENGTH_BYTES)], [0, 1, 2])
            connection.sendall(message)
        except OSError:
            return None
        if not receive(connection):
            return None
        status = receive(connection)
    return status[0] if status else KILLED_STATUS


def receive(connection: socket.socket) -> bytes:
    """The next byte; nothing where the other side is gone."""
    try:
        return connection.recv(1)
    except ConnectionError:
        return b""

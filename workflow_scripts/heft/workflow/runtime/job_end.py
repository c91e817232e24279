"""How a job ends, in its log: a mistake or a fault of the machine as one sentence, a bug with its whole traceback.

The last line of the log of a failed job is the reason; `partial_report.py` reads it for the report.
"""

import faulthandler
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from heft.faults import KILLED, is_disk_full, sentence_of
from heft.workflow.runtime.full_disk import first_to_say_full

INTERRUPTED_STATUS = 128 + signal.SIGINT
LONGEST_REASON = 300


@contextmanager
def guarded(rule: str, log: Path) -> Iterator[None]:
    """Whatever ends the block goes into `log`, which begins empty, and ends the process with one sentence on stderr.

    A SystemExit without an error passes. A crash of compiled code leaves the Python lines that led to it.
    """
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("", encoding="utf-8")
        with log.open("a", encoding="utf-8") as crashes:  # so that it goes below what the job says in between
            faulthandler.enable(crashes)
            try:
                yield
            finally:
                faulthandler.disable()
    except BaseException as error:
        if isinstance(error, SystemExit) and not error.code:
            raise
        sys.exit(_noted(rule, log, error))


def note_signal(rule: str, log: Path, number: int) -> None:
    """Adds to the log, and says on stderr, which signal ended the job that could not say so itself."""
    sentence = sentence_of_signal(number)
    with suppress(OSError), log.open("a", encoding="utf-8") as file:
        file.write(f"{sentence}\n")
    print(f"{rule}: {sentence}", file=sys.stderr)


def sentence_of_signal(number: int) -> str:
    """What a person reads about a job that a signal ended."""
    if number == signal.SIGKILL:
        return KILLED
    names = {member.value: member.name for member in signal.Signals}
    name, meaning = names.get(number, f"signal {number}"), signal.strsignal(number)
    return f"the job was killed by {name}" + (f" ({meaning.lower()})" if meaning else "")


def shortened(error: BaseException) -> str:
    """Type and message of an error on one line: `KeyError: 'no such column'`."""
    kind = type(error)
    name = (
        kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    )
    text = f"{name}: {message}" if (message := " ".join(str(error).split())) else name
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 3] + "..."


def _noted(rule: str, log: Path, error: BaseException) -> str | int:
    """Writes the end into the log; the sentence for stderr, or the status alone where nothing is to be said."""
    sentence = sentence_of(error)
    if sentence is not None:
        _write(log, f"{sentence}\n")
        return 1 if is_disk_full(error) and not first_to_say_full() else f"{rule}: {sentence}"
    reason, lines = shortened(error), "".join(traceback.format_exception(error))
    _write(log, lines if lines.splitlines()[-1] == reason else f"{lines}{reason}\n", "a")
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED_STATUS
    if isinstance(error, SystemExit) and isinstance(error.code, str):
        return f"{rule}: {error.code}"
    return f"{rule}: {reason}; the traceback is in {log}"


def _write(log: Path, text: str, mode: str = "w") -> None:
    with suppress(OSError), log.open(mode, encoding="utf-8", errors="backslashreplace") as file:  # the disk may be full
        file.write(text)

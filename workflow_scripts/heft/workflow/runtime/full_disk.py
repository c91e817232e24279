"""Which process of a run says that the disk is full: the first that meets it."""

import os
from contextlib import suppress

from heft.workflow.places import STATE

SAID, NOT_SAID = STATE / "disk-full", STATE / "disk-not-full"


def let_full_be_said() -> None:
    """At the start of a run: what was said of an earlier one is forgotten. The file is made here, since later the disk
    may be too full to make one."""
    SAID.unlink(missing_ok=True)
    NOT_SAID.touch()


def first_to_say_full() -> bool:
    """Whether no process of this run has said yet that the disk is full: several jobs meet it at once."""
    with suppress(OSError):
        os.rename(NOT_SAID, SAID)
        return True
    try:
        os.close(os.open(SAID, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    except OSError:  # not even an empty file fits
        return True
    return True

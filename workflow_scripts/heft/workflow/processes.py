"""Whether another process lives, so that what a killed one has left can be told from what is in use."""

import os


def lives(process: int) -> bool:
    """Whether a process of that number lives, this account's or another's."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another account's
        return True
    return True

"""What an error of a tracking store means: it is down, it keeps this account out, or it refuses what it was sent."""

from heft.faults import is_disk_full
from heft.workflow.tracking.store_address import shown

_NO_ANSWER = ("Max retries exceeded", "timed out", "Connection refused", "Connection aborted", "could not connect")
_DENIED = (401, 403)


def status_of(error: Exception) -> int | None:
    """The HTTP status that mlflow's error stands for; None for an error of another kind."""
    get_status = getattr(error, "get_http_status_code", None)
    return int(get_status()) if get_status else None


def is_denial(error: Exception) -> bool:
    """Whether a store answered that this account or its token may not do that."""
    return status_of(error) in _DENIED


def is_down(error: Exception) -> bool:
    """Whether a store does not answer now, so that waiting may help."""
    return isinstance(error, ConnectionError | TimeoutError) or any(words in str(error) for words in _NO_ANSWER)


def reason_of(error: Exception, uri: str) -> str:
    """Why the store at `uri` takes nothing, in a few words without a secret."""
    if is_disk_full(error):
        return "the disk is full"
    if is_denial(error):
        return f"it refuses this account or its token, status {status_of(error)}"
    if is_down(error):
        return "it does not answer"
    return shown(error, uri)

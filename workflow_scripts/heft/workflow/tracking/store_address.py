"""Where tracked runs go, and how that address, and what a library says about it, is shown without its secrets."""

import base64
import os
import re
from collections.abc import Iterator
from urllib.parse import unquote

DEFAULT_STORE = "sqlite:///mlflow.db"
HIDDEN = "***"
FILES = ("sqlite", "file")  # schemes whose address is a path, in which `@` is a letter like any other
LONGEST_REASON = 200
USER, PASSWORD, TOKEN = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"


def tracking_uri() -> str:
    """Where runs go: MLFLOW_TRACKING_URI, or mlflow's own default store in this folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_STORE


def is_server(uri: str) -> bool:
    """Whether the store is a server, which mlflow talks to by HTTP."""
    return uri.lower().startswith(("http://", "https://"))


def is_local(uri: str) -> bool:
    """Whether the store is a file of this machine; a server's may lie anywhere, were it asked by a local address."""
    return _is_file(_parts(uri)[0])


def without_password(uri: str) -> str:
    """Hides passwords, tokens and all that follows `?`, `#` or `;` in the address of a store.

    A password may hold any character, as people type it: it ends at the last `@`. If an `@` follows a `?`, nobody can
    tell where the password ends, and all but the scheme is hidden.
    """
    scheme, rest = _parts(uri)
    address, further = _cut(rest)
    tail = f"{further[0]}{HIDDEN}" if further else ""
    if _is_file(scheme):
        return f"{scheme}{address}{tail}"
    if "@" in further:
        return f"{scheme}{HIDDEN}"
    login, at, place = address.rpartition("@")
    user, colon, _ = login.partition(":")
    hidden_login = (f"{user}:{HIDDEN}" if colon else HIDDEN) if at else ""
    return f"{scheme}{hidden_login}{at}{place}{tail}"


def without_login(uri: str) -> str:
    """The address of a server without user and password: for a browser, and for mlflow, which gets them apart."""
    scheme, rest = _parts(uri)
    return scheme + rest.rpartition("@")[2]


def has_login(uri: str) -> bool:
    """Whether the address of a server holds a user and a password, not only a token."""
    user, colon, password = _parts(uri)[1].rpartition("@")[0].partition(":")
    return is_server(uri) and bool(user and colon and password)


def login_variables(uri: str) -> dict[str, str]:
    """User and password of a server's address as mlflow's environment variables, where these do not say so already.

    Given apart, they stand in no address, so in no message about one, and may hold any character.
    """
    if not has_login(uri) or {USER, PASSWORD, TOKEN} & set(os.environ):
        return {}
    user, _, password = _parts(uri)[1].rpartition("@")[0].partition(":")
    return {USER: unquote(user), PASSWORD: unquote(password)}


def shown(error: Exception, uri: str) -> str:
    """The first line of an error about a store, or only its type where that line holds a part of a secret."""
    lines = str(error).splitlines() or [type(error).__name__]
    line = re.sub(r"[A-Za-z][\w+.-]*://\S+", lambda address: without_password(address[0]), lines[0])
    if any(_holds(line, part) for secret in _secrets(uri) for part in _pieces(secret)):
        return f"{type(error).__name__}, whose words are not shown, since they hold a part of the password"
    return line.strip()[:LONGEST_REASON]


def _parts(uri: str) -> tuple[str, str]:
    """The scheme with its `://`, and the rest."""
    scheme, separator, rest = uri.partition("://")
    return (scheme + separator, rest) if separator else ("", uri)


def _is_file(scheme: str) -> bool:
    return scheme.partition(":")[0].partition("+")[0].lower() in FILES


def _cut(rest: str) -> tuple[str, str]:
    """What stands before the first `?`, `#` or `;`, and what follows, that character included."""
    address = re.split(r"[?#;]", rest, maxsplit=1)[0]
    return address, rest[len(address) :]


def _secrets(uri: str) -> Iterator[str]:
    """Passwords and tokens of the address and of the environment, as they stand there."""
    scheme, rest = _parts(uri)
    further = _cut(rest)[1]
    yield from (part.partition("=")[2] for part in re.split(r"[?#;&]", further))
    if not _is_file(scheme):
        user, colon, password = rest.rpartition("@")[0].partition(":")
        yield password if colon else user
        yield base64.b64encode(unquote(f"{user}:{password}").encode()).decode() if colon else ""
    yield os.environ.get(PASSWORD, "")
    yield os.environ.get(TOKEN, "")


def _pieces(secret: str) -> set[str]:
    """A secret as a library may cut or decode it: its runs of letters and digits."""
    return {piece for text in (secret, unquote(secret)) for piece in re.findall(r"\w+", text)}


def _holds(line: str, piece: str) -> bool:
    """Whether a line holds a piece, whatever its case; a short one only as a word of its own."""
    pattern = re.escape(piece) if len(piece) > 3 else rf"(?<!\w){re.escape(piece)}(?!\w)"
    return re.search(pattern, line, re.IGNORECASE) is not None

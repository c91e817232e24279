"""A tracking store that is a SQLite file: made whole or not at all, and mended where its project was moved or copied.

mlflow writes absolute paths of artifacts into it. After a move they name a folder that is gone, which the next run
would make again; in a copy they name the original's.
"""

import os
import re
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from heft.workflow.identity import Identity
from heft.workflow.processes import lives

ARTIFACTS = "mlruns"  # mlflow's own name for it
_LOCATIONS = (("experiments", "artifact_location"), ("runs", "artifact_uri"), ("logged_models", "artifact_location"))


def database_of(uri: str) -> Path | None:
    """The file of a SQLite store; None for a store of another kind, and for one in memory."""
    match = re.fullmatch(r"sqlite(?:\+\w+)?:///([^?]+)(?:\?.*)?", uri)
    return Path(match[1]) if match and match[1] != ":memory:" else None


def make_whole(uri: str, make: Callable[[str], object]) -> None:
    """Makes a SQLite store that is not there with `make(uri)`, under another name first.

    mlflow makes it in hundreds of steps; one that a kill or a full disk left between two of them never opens again.
    What such a kill has left is removed.
    """
    store = database_of(uri)
    if store is None or store.exists():
        return
    remove_unfinished(store)
    # A name of its own each time: mlflow keeps its connection to a store of the same name.
    unfinished = store.with_name(f".{store.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        make(uri.replace(f"///{store}", f"///{unfinished}", 1))
        os.replace(unfinished, store)
    finally:
        for left in store.parent.glob(f"{unfinished.name}*"):
            left.unlink()


def remove_unfinished(store: Path) -> None:
    """Removes the temporary files of processes that were killed while they made the store."""
    pattern = re.compile(rf"\.{re.escape(store.name)}\.(?:([0-9]+)\.)?[0-9a-f]{{8}}\.tmp(?:-[a-z]+)?")
    for file in store.parent.glob(f".{store.name}.*"):
        match = pattern.fullmatch(file.name)
        if match and not (match[1] and lives(int(match[1]))):
            with suppress(FileNotFoundError):
                file.unlink()


def artifact_location(uri: str) -> str | None:
    """Where artifacts of a new experiment go: beside a SQLite store that lies elsewhere; None leaves it to mlflow.

    mlflow's own place is the folder of whoever makes the experiment, though others share the store.
    """
    store = database_of(uri)
    if store is None or store.resolve().parent == Path.cwd().resolve():
        return None
    return str(store.resolve().parent / ARTIFACTS / uuid.uuid4().hex)


def adopt(uri: str, identity: Identity) -> None:
    """Makes a SQLite store name this folder where it names one that the project was moved or copied from.

    In a store below this folder, which came along, runs of a copy's original become the copy's. Of a store elsewhere,
    which others share, only paths into a folder that moved away are mended.
    """
    store = database_of(uri)
    if store is None or not store.is_file():
        return
    here = Path(identity.folder)
    inside = store.resolve().is_relative_to(here)
    with closing(sqlite3.connect(store, timeout=30)) as database, database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"experiments", "experiment_tags", "runs", "tags"} <= tables:
            return
        for folder in dict.fromkeys(_former_folders(database, identity, inside)):
            for table, column in _LOCATIONS:
                if table in tables:
                    _repoint(database, table, column, folder, str(here))
        originals = {former.project for former in identity.former} - {identity.project}
        for original in originals if inside else ():
            for table in ("tags", "experiment_tags"):
                change = f"UPDATE {table} SET value = ? WHERE key = 'project' AND value = ?"
                database.execute(change, (identity.project, original))


def _former_folders(database: sqlite3.Connection, identity: Identity, inside: bool) -> Iterator[str]:
    """Folders that the store may still name in the place of this one."""
    for former in identity.former:
        if former.folder != identity.folder and (inside or _moved_away(former.folder, former.project, identity)):
            yield former.folder
    if not inside:
        return
    # A project that was moved before it had an identity: the artifacts of an experiment lie here under its own number.
    for experiment, location in database.execute("SELECT experiment_id, artifact_location FROM experiments"):
        folder, _, rest = (location or "").rpartition(f"/{ARTIFACTS}/")
        elsewhere = rest == str(experiment) and folder.startswith("/") and folder != identity.folder
        if elsewhere and Path(identity.folder, ARTIFACTS, rest).is_dir():
            yield folder


def _moved_away(folder: str, project: str, identity: Identity) -> bool:
    return project == identity.project and not Path(folder).exists()


def _repoint(database: sqlite3.Connection, table: str, column: str, old: str, new: str) -> None:
    """Changes the beginning of paths, written plainly or as a file URI."""
    for before, after in ((old, new), (f"file://{quote(old)}", f"file://{quote(new)}")):
        change = f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?"
        database.execute(change, (after, len(before) + 1, len(before) + 1, f"{before}/"))

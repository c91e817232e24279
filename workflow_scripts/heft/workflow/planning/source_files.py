"""What a job `prepare` depends on beside its code: the files that a person's own source has read."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from heft.artifacts import read_json
from heft.data.read_files import digest_of
from heft.errors import HeftError


def state_of_files(manifest: Path) -> str:
    """A text that stays the same as long as the files have the content that the last run has read.

    The manifest holds the text of the last run: a changed, or deleted, file gives another one, which the next run
    writes down. Without a manifest it is empty. A file of the size and date of the last run is not read.
    """
    last = _last_read(manifest)
    now = {path: digest_of(Path(path), known) for path, known in last["files"].items()}
    if all(now[path] == known["sha256"] for path, known in last["files"].items()):
        return str(last["state"])
    return hashlib.sha256(json.dumps([last["state"], now], sort_keys=True).encode()).hexdigest()[:12]


def names_modality(modules: Iterable[str]) -> bool:
    """Whether one of the modules that a source imports is a modality of Heft."""
    room = "heft.data.modalities."
    return any(name.startswith(room) and name != f"{room}declare" for name in modules)


def _last_read(manifest: Path) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = read_json(manifest)["read"]
    except (HeftError, KeyError):  # it is not there, or a run says that it is damaged
        return {"state": "", "files": {}}
    return found

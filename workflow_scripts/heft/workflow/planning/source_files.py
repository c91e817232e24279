"""What a job `prepare` depends on beside its code: the files that a person's own source has read."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from heft.artifacts import read_json
from heft.data.read_files import digest_of
from heft.errors import HeftError
from heft.workflow.planning import paths
from heft.workflow.planning.plan import Plan


def state_of_files(plan: Plan, experiment: str) -> str:
    """A text that stays the same as long as the files have the content that the last run has read.

    It is empty for a registered source, whose files are known by their SHA-256. The manifest holds the text of the last
    run: a changed, or deleted, file gives another one, which the next run writes down. A file of the size and date of
    the last run is not read.
    """
    if ":" not in plan.experiments[experiment].source[0]:
        return ""
    last = _last_read(Path(paths.MANIFEST.format(e=experiment)))
    now = {path: digest_of(Path(path), known) for path, known in last["files"].items()}
    if all(now[path] == known["sha256"] for path, known in last["files"].items()):
        return str(last["state"])
    return hashlib.sha256(json.dumps([last["state"], now], sort_keys=True).encode()).hexdigest()[:12]


def _last_read(manifest: Path) -> Mapping[str, Any]:
    try:
        read: Mapping[str, Any] = read_json(manifest)["read"]
    except (HeftError, KeyError):  # it is not there, or a run says that it is damaged
        return {"state": "", "files": {}}
    return read

"""What `prepare`, `encode` and `out_of_fold` depend on beside their code: files of a person's own."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from heft.artifacts import read_json
from heft.data.arrays import array_place
from heft.data.read_files import digest_of, followed, name_of
from heft.errors import HeftError
from heft.workflow.configuration.persons_paths import persons_places, place_of
from heft.workflow.planning import paths
from heft.workflow.planning.encoding import encoder_of
from heft.workflow.planning.held_out import HeldOut
from heft.workflow.planning.plan import Plan


def state_of_files(plan: Plan, experiment: str) -> str:
    """A text that stays the same as long as the files of the source have the content that the last run has read.

    It is empty for a source whose files are known by their SHA-256. The manifest holds the text of the last run: a file
    that was changed or deleted, or has come into a folder that the source reads, gives another one, which the next run
    writes down. A file of the size and date of the last run is not read, nor is one that no run has read.
    """
    source = plan.source(experiment)
    trusted = [Path(source["trusted"])] if "trusted" in source else []
    places = [*persons_places("data/sources", source["name"], source["options"]), *trusted]
    if ":" not in source["name"] and not places:
        return ""
    return _state(places, Path(paths.MANIFEST.format(e=experiment)))


def file_of_predictions(plan: Plan, experiment: str) -> str:
    """A person's file of predictions, as it is reached; empty where there is none."""
    given = plan.experiments[experiment].settings.data.predictions
    return place_of(given, plan.roots, "data.predictions") if given else ""


def state_of_predictions(plan: Plan, experiment: str, seed: str, held_out: HeldOut) -> str:
    """The same of the file of predictions, by what the last run has read for a seed."""
    read = Path(held_out.file(paths.OUT_OF_FOLD_COST, experiment, seed))
    return _state([array_place(file_of_predictions(plan, experiment)).path], read)


def state_of_weights(plan: Plan, experiment: str) -> str:
    """The same of the files that the options of the encoder name; empty where there are none."""
    encoder = encoder_of(plan, experiment)
    places = persons_places("data/encoders", encoder["name"], encoder["options"]) if encoder else []
    return _state(places, Path(paths.ENCODED_MANIFEST.format(e=experiment))) if places else ""


def _state(places: Sequence[Path], manifest: Path) -> str:
    last = _last_read(manifest)
    known = last["files"]
    now = {path: digest_of(Path(path), of_last) for path, of_last in known.items()}
    changed = {path: digest for path, digest in now.items() if digest != known[path]["sha256"]}
    below = (path for place in [*places, *map(Path, last.get("folders", ()))] for path in followed(place))
    added = {name: _looks_of(path) for path in below if (name := name_of(path)) not in known}
    if not changed and not added:
        return str(last["state"])
    return hashlib.sha256(json.dumps([last["state"], changed, added], sort_keys=True).encode()).hexdigest()[:12]


def _looks_of(path: Path) -> list[int]:
    """Size and date of a file that no run has read."""
    try:
        status = path.stat()
    except OSError:  # a link to nothing
        return []
    return [status.st_size, status.st_mtime_ns]


def _last_read(manifest: Path) -> Mapping[str, Any]:
    try:
        read: Mapping[str, Any] = read_json(manifest)["read"]
    except (HeftError, KeyError):  # it is not there, or a run says that it is damaged
        return {"state": "", "files": {}}
    return read

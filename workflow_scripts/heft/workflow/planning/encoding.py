"""What follows for the jobs of an experiment from its encoder, or from there being none."""

import hashlib
import json
from pathlib import Path
from typing import Any

from heft.data.encoders.asked import asked_of
from heft.registry import find
from heft.workflow.configuration.persons_paths import with_places
from heft.workflow.planning import paths
from heft.workflow.planning.fingerprint import NUMERIC_PACKAGES
from heft.workflow.planning.plan import Plan


def seen(plan: Plan, experiment: str, file: str) -> str:
    """A file of what models see: of the prepared data, or of the features that an encoder has made of them."""
    folder = paths.DATA if plan.experiments[experiment].encoder is None else paths.FEATURES
    return f"{folder.format(e=experiment)}/{file}"


def encoded_manifest(plan: Plan, experiment: str) -> list[str]:
    """The manifest of the features; nothing where there is no encoder."""
    encoded = plan.experiments[experiment].encoder is not None
    return [paths.ENCODED_MANIFEST.format(e=experiment)] if encoded else []


def encoder_of(plan: Plan, experiment: str) -> dict[str, Any]:
    """Name and options of the encoder, with the places of a person's files in them; empty where there is none."""
    if (chosen := plan.experiments[experiment].encoder) is None:
        return {}
    return {"name": chosen[0], "options": with_places("data/encoders", *chosen, plan.roots)}


def encoder_files(plan: Plan, experiment: str) -> list[Path]:
    """The file of the encoder; none where there is none."""
    return [find("data/encoders", chosen[0]).file] if (chosen := plan.experiments[experiment].encoder) else []


def encoder_version(plan: Plan, experiment: str) -> str:
    """A hash of the encoder's code and of the packages that it runs with: the cache keeps features of each version."""
    if (chosen := plan.experiments[experiment].encoder) is None:
        return ""
    declared = find("data/encoders", chosen[0])
    needed = (declared.fields["packages"] or {}).values()
    hashes = plan.look.fingerprint(declared.file, packages=(*NUMERIC_PACKAGES, *needed))
    return hashlib.sha256(json.dumps(hashes).encode()).hexdigest()[:12]


def features_asked(plan: Plan, experiment: str) -> list[str]:
    """Name and options of the encoder whose features are kept for the experiment; nothing where there is none."""
    if (chosen := plan.experiments[experiment].encoder) is None:
        return []
    return [json.dumps(asked_of(find("data/encoders", chosen[0]), chosen[1]), sort_keys=True)]

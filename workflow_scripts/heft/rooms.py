"""The rooms whose files declare something, each with the decorator that does it."""

from pathlib import Path

PACKAGE = Path(__file__).parent
# Room -> the decorator that registers a file of it; it stands in the room's declare.py.
DECORATORS = {
    "methods": "method",
    "models": "model",
    "data/sources": "source",
    "data/modalities": "modality",
    "auxiliary": "auxiliary",
    "ensembles": "ensemble",
    "objectives": "objective",
    "curation": "action",
    "baselines": "baseline",
    "training/augmentations": "augmentation",
    "training/optimisers": "optimiser",
    "training/schedules": "schedule",
    "evaluation/metrics": "measure",
}
# Room in which a person's own function needs no decorator -> how many of its first arguments are no options.
UNDECORATED = {"models": 2, "data/sources": 0}
# Arguments of such a function that are no options, by name.
GIVEN_BY_NAME = {"data/sources": ("data_dir",)}

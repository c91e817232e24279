"""The rooms whose files declare something, each with the decorator that does it."""

from pathlib import Path

PACKAGE = Path(__file__).parent
# Room -> the decorator that registers a file of it; it stands in the room's declare.py.
DECORATORS = {
    "methods": "method",
    "models": "model",
    "data/sources": "source",
    "data/modalities": "modality",
    "data/encoders": "encoder",
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
# Room -> the file in it, and the function there, whose options all of the room take beside their own.
SHARED = {"models": ("start.py", "started")}
# Room -> options of all in it that name a person's own file; and the word for weights that come with a package, which
# may stand in the place of a path.
PATHS = {"models": ("weights",)}
NO_PATH = "default"
# Arguments of such a function that are no options, by name.
GIVEN_BY_NAME = {"data/sources": ("data_dir",)}

"""Every path below results/ that planning and reports ask for, as patterns with the wildcards of the rules in braces.

`e` is an experiment, `s` a seed, `m` a scorer, `v` a variant, `kind` and `g` a group of further trained models, `kind`
and `n` the first n of a kind.
"""

from pathlib import Path

RESULTS = "results/{e}"
PAGE = "reports/{e}/index.html"
REPORT_RECORD = RESULTS + "/report.record.jsonl"  # the report of an unfinished run lacks it
DATA = RESULTS + "/data"
INPUTS = DATA + "/inputs.safetensors"
EXAMPLES = DATA + "/examples.parquet"
MANIFEST = DATA + "/manifest.json"
FEATURES = RESULTS + "/features"  # of an experiment with an encoder
ENCODED = FEATURES + "/inputs.safetensors"
ENCODED_MANIFEST = FEATURES + "/manifest.json"
MODEL_CHECK = RESULTS + "/model_check.json"

SEED = RESULTS + "/seed{s}"
SPLITS = {split: SEED + f"/split/{split}.parquet" for split in ("train", "validation", "test")}
TRANSFORM = SEED + "/split/transform.json"
SPLIT_FACTS = SEED + "/split/facts.json"
HISTORY = SEED + "/train/history.parquet"
DYNAMICS = SEED + "/train/training_dynamics.parquet"
CHECKPOINTS = SEED + "/checkpoints"
OUT_OF_FOLD = SEED + "/out_of_fold/{kind}/models{n}/probabilities.parquet"
OUT_OF_FOLD_COST = SEED + "/out_of_fold/{kind}/models{n}/cost.json"
MEMBER_SCORES = SEED + "/scores/{m}/members.parquet"
SCORES = SEED + "/scores/{v}.parquet"
CURATED = SEED + "/pruned/{v}.parquet"
METRICS = SEED + "/metrics/{v}.json"

AUXILIARY = SEED + "/auxiliary/{kind}/group{g}"
DYNAMICS_OF_GROUP = AUXILIARY + "/training_dynamics.parquet"
# What the wildcard `kind` may be (`folder_of_kind`).
KIND = r"[A-Za-z_][A-Za-z0-9_.]*"
# Of the folders `CHECKPOINTS` and `AUXILIARY`: the states that were kept, and their index.
STATES = ("checkpoints.json", "states.safetensors")


def states_in(folder: str) -> list[str]:
    """The files of the states that were kept in a folder."""
    return [f"{folder}/{name}" for name in STATES]


def folder_of_kind(kind: str) -> str:
    """What `kind` is in a path: a registered name as it is, `my_kinds.Bags` of a person's own `my_kinds:Bags`."""
    return kind.replace(":", ".")


def kind_named_in(folder: str) -> str:
    """The kind of which that is the name in a path: a registered name, and a class, have no point."""
    module, point, name = folder.rpartition(".")
    return f"{module}:{name}" if point else name


def kind_of(folder: Path) -> str:
    """The kind of the further trained models in a folder, as `AUXILIARY` spells it."""
    return kind_named_in(folder.parent.name)


def seed_of(file: str) -> int:
    """The seed whose folder a file lies in, as `SEED` spells it."""
    return int(Path(file).parts[2].removeprefix("seed"))

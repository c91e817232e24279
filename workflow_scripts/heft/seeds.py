"""Every random stream of an experiment, derived from one seed."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

FROZEN_SEED = 0


@dataclass(frozen=True)
class RunSeeds:
    """What one training run draws: its initial parameters and its batch order."""

    init: int
    order: int


def derive_seed(seed: int, *names: str | int, resample: Collection[str] | None = None) -> int:
    """A 63-bit seed of the stream that `names` spell, by SHA-256: streams of different names are independent.

    resample: where given and `names[0]` is not in it, the stream is frozen, that is the one of seed 0.
    """
    if resample is not None and names[0] not in resample:
        seed = FROZEN_SEED
    spelled = "/".join([str(seed), *(f"{type(name).__name__}:{name}" for name in names)])
    return int.from_bytes(hashlib.sha256(spelled.encode()).digest()[:8], "big") >> 1


def run_seeds(seed: int, run: int, resample: Collection[str]) -> RunSeeds:
    """Seeds of run 0, the base model, or of member `run`; initialisation and batch order freeze together, as `init`."""
    names: tuple[str | int, ...] = ("init",) if run == 0 else ("init", "members", run)
    return RunSeeds(
        init=derive_seed(seed, *names, "parameters", resample=resample),
        order=derive_seed(seed, *names, "order", resample=resample),
    )

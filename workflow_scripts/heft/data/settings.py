"""What the configuration says about data and planted label noise."""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Gt, Le, Lt


@dataclass(frozen=True)
class NoiseSettings:
    """Label noise planted in the training split.

    kind: `none`; `symmetric` (any other class, uniformly); `pairs` (class c becomes c + 1); `clustered` (the nearest
    neighbours, in PCA space, of one example drawn at random all get one class).
    rate: fraction of training examples whose label is wrong, in (0, 1).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    kind: Literal["none", "symmetric", "pairs", "clustered"] = "pairs"
    rate: Annotated[float, Gt(0), Lt(1)] = 0.3


@dataclass(frozen=True)
class DataSettings:
    """The source, sizes of the disjoint splits, noise, and what each seed draws anew (the rest is that of seed 0)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    source: str = "mnist5k"
    train: Annotated[int, Gt(0), Le(10**9)] = 3000
    validation: Annotated[int, Gt(0), Le(10**9)] = 500
    test: Annotated[int, Gt(0), Le(10**9)] = 1500
    noise: NoiseSettings = field(default_factory=NoiseSettings)
    resample: list[Literal["split", "noise", "init"]] = field(default_factory=lambda: ["split", "noise", "init"])

"""What the configuration says about data and planted label noise."""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Gt, Le, Lt

from heft.errors import HeftError


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

    def n_wrong(self, n_train: int) -> int:
        """How many of `n_train` labels are made wrong: `rate * n_train`, rounded; raises HeftError for none or all."""
        number = round(self.rate * n_train) if self.kind != "none" else 0
        if self.kind != "none" and not 0 < number < n_train:
            raise HeftError(
                f"data.noise.rate: {self.rate} of {n_train} training examples is {'none' if number == 0 else 'all'}; "
                f"at least 1 and at most {n_train - 1} labels can be wrong."
            )
        return number


@dataclass(frozen=True)
class DataSettings:
    """The source, sizes of the disjoint splits, noise, and what each seed draws anew (the rest is that of seed 0)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    source: str | dict[str, dict[str, Any]] = "mnist5k"  # a name, or {name: {option: value}}
    train: Annotated[int, Gt(0), Le(10**9)] = 3000
    validation: Annotated[int, Gt(0), Le(10**9)] = 500
    test: Annotated[int, Gt(0), Le(10**9)] = 1500
    noise: NoiseSettings = field(default_factory=NoiseSettings)
    resample: list[Literal["split", "noise", "init"]] = field(default_factory=lambda: ["split", "noise", "init"])

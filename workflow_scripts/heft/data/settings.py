"""What the configuration says about data and planted label noise."""

from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Gt, Le, Lt

from heft.errors import HeftError

SPLITS = ("train", "validation", "test")
REST = "rest"
# A number of examples, a share of those that the split is drawn from, or all that the other splits leave.
Size = Annotated[int, Gt(0), Le(10**9)] | Annotated[float, Gt(0), Lt(1)] | Literal["rest"]


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
    """The source, sizes of the disjoint splits, noise, and what each seed draws anew (the rest is that of seed 0).

    duplicates: of examples with identical content `one` takes part, or all do, `together` in one split; None: as the
    modality says, or `one` where there is none. near_duplicates: whether examples that are nearly the same stay in one
    split; None: as the source declares.
    keep_groups_together: whether the examples of a group stay in one split. leave_out_leaked: whether training goes
    without examples that a split of the data set's own repeats. trusted: a file of ids of examples that were checked.
    predictions: a file of out-of-fold probabilities of all examples, in the place of models that are trained for these.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    source: str | dict[str, dict[str, Any]] = "mnist5k"  # a name, or {name: {option: value}}
    train: Size = 3000
    validation: Size = 500
    test: Size = 1500
    noise: NoiseSettings = field(default_factory=NoiseSettings)
    resample: list[Literal["split", "noise", "init"]] = field(default_factory=lambda: ["split", "noise", "init"])
    duplicates: Literal["one", "together"] | None = None
    near_duplicates: bool | None = None
    keep_groups_together: bool = True
    leave_out_leaked: bool = True
    trusted: str | None = None
    predictions: str | None = None

    def for_modality(self, duplicates: Literal["one", "together"]) -> "DataSettings":
        """The same with what a modality says of duplicates, where nothing else is said."""
        return replace(self, duplicates=self.duplicates or duplicates)

    def check_sizes(self) -> None:
        """Raises HeftError where counts and shares are mixed, or shares add up to more than 1."""
        sizes = {name: getattr(self, name) for name in SPLITS}
        shares = {name: size for name, size in sizes.items() if isinstance(size, float)}
        written = ", ".join(f"{name} {size}" for name, size in sizes.items())
        if shares and any(isinstance(size, int) for size in sizes.values()):
            raise HeftError(
                f"data: {written} mixes counts and shares; give a count for each split, or a share (0.7) for each; "
                f'one may be "{REST}".'
            )
        if sum(shares.values()) > 1 + 1e-9:
            raise HeftError(f"data: {written} add up to {sum(shares.values()):g}; shares add up to at most 1.")

"""The kinds of further trained models, as their files declare them; without torch."""

from collections.abc import Iterable
from dataclasses import dataclass

from heft.errors import HeftError
from heft.registry import Declaration, declarations


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What the decorator of a kind says (`heft.auxiliary.declare.auxiliary`).

    A model has a number: member m of an ensemble has the models from m * `models` on; member 0 is the trained model.
    """

    gives: str
    need: str
    models: int | str
    group_size: int
    first_is_base: bool
    continues: str
    fine_tuning: bool
    trains_on_validation: bool
    keeps: tuple[str, ...]
    final: str
    holds_out_each_once: bool

    def __post_init__(self) -> None:
        if self.continues and self.models != 1:
            raise ValueError(f"a kind that continues {self.continues} has one model a member, not {self.models}")

    def groups(self, n_models: int) -> list[int]:
        """The groups in which the models 0..n_models-1 are trained."""
        return list(range(-(-n_models // self.group_size)))

    def group_of(self, number: int) -> int:
        """The group that a model is trained in."""
        return number // self.group_size

    def numbers(self, group: int) -> list[int]:
        """Numbers of the models that a group trains."""
        numbers = range(self.group_size * group, self.group_size * (group + 1))
        return [number for number in numbers if number > 0 or not self.first_is_base]


def kinds() -> dict[str, Kind]:
    """Every kind of further trained models by name; raises HeftError where a file declares what no kind has."""
    return {name: _kind(declared) for name, declared in declarations("auxiliary").items()}


def kinds_for(needs: Iterable[str]) -> dict[str, Kind]:
    """The kinds that serve some of a method's needs, by name."""
    wanted = set(needs)
    return {name: kind for name, kind in kinds().items() if kind.need in wanted}


def _kind(declared: Declaration) -> Kind:
    try:
        return Kind(**declared.fields)
    except ValueError as error:
        raise HeftError(f"{declared.file}, line {declared.line}: {error}") from error

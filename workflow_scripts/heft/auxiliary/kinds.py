"""The kinds of further trained models, as their files declare them; without torch."""

from collections.abc import Iterable
from dataclasses import dataclass

from heft.errors import HeftError
from heft.registry import Declaration, declarations, find


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
    """Every registered kind of further trained models by name; raises HeftError where a file declares what none has."""
    return {name: _kind(declared) for name, declared in declarations("auxiliary").items()}


def kinds_for(needs: Iterable[str]) -> dict[str, Kind]:
    """The kinds that serve some of the needs of a method or an action, by name."""
    wanted = list(dict.fromkeys(needs))
    registered = {name: kind for name, kind in kinds().items() if kind.need in wanted}
    return registered | {need: kind_named(need) for need in wanted if ":" in need}


def kind_named(name: str) -> Kind:
    """The registered kind of that name, or a person's own `package.module:Class`; raises HeftError as above."""
    return _kind(find("auxiliary", name))


def _kind(declared: Declaration) -> Kind:
    where, fields = f"{declared.file}, line {declared.line}", declared.fields
    if ":" in declared.name:
        if fields["need"]:
            raise HeftError(
                f'{where}: need is "{fields["need"]}"; leave it out: what needs a kind of your own writes its import '
                f'path, "{declared.name}"'
            )
        fields = fields | {"need": declared.name}
    try:
        return Kind(**fields)
    except ValueError as error:
        raise HeftError(f"{where}: {error}") from error

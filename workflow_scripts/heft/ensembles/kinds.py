"""The kinds of ensembles, and the options that each has; without torch.

`perturbs`: members are the trained model with its parameters or activations changed. The others are other states:
earlier epochs of the same run (`checkpoints`), or independently trained runs (`seeds`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from heft.errors import HeftError


@dataclass(frozen=True)
class EnsembleKind:
    """A kind: its option's name (empty: none), default, and upper bound (the option is above 0, at most `most`).

    switch: name of a further option that is true or false, false by default.
    """

    perturbs: bool
    option: str = ""
    default: float = 0.0
    most: float = float("inf")
    switch: str = ""

    @property
    def defaults(self) -> dict[str, float]:
        """Every option with its default."""
        values = {self.option: self.default, self.switch: False}
        return {name: value for name, value in values.items() if name}

    def values(self, name: str, options: Mapping[str, float]) -> dict[str, float]:
        """Every option's value; raises HeftError where one is not this kind's, or out of range."""
        for given in sorted(set(options) - set(self.defaults)):
            owner = next((kind for kind, found in KINDS.items() if given in found.defaults), "no kind")
            raise HeftError(f"{given} is an option of {owner}, not of {name}")
        value = options.get(self.option, self.default)
        if self.option and not 0 < value <= self.most:
            raise HeftError(f"{name}: {self.option} is {value}; it must be above 0 and at most {self.most:g}.")
        return {**self.defaults, **options}


KINDS = {
    "parameter_dropout": EnsembleKind(perturbs=True, option="p_max", default=0.01, most=1.0, switch="rescale"),
    "gaussian": EnsembleKind(perturbs=True, option="sigma", default=0.01),
    "activation_dropout": EnsembleKind(perturbs=True, option="rate", default=0.1, most=0.99),
    "checkpoints": EnsembleKind(perturbs=False),
    "seeds": EnsembleKind(perturbs=False),
}


def kind_named(name: str) -> EnsembleKind:
    """The kind of that name; raises HeftError where there is none."""
    if name not in KINDS:
        raise HeftError(f'Ensemble kind "{name}" is not known; known are {", ".join(KINDS)}.')
    return KINDS[name]

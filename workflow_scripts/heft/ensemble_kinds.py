"""The kinds of ensembles, and the option that each has; without torch.

`perturbs`: members are the trained model with its parameters or activations changed. The others are other states:
earlier epochs of the same run (`checkpoints`), or independently trained runs (`seeds`).
"""

from dataclasses import dataclass

from heft.errors import HeftError


@dataclass(frozen=True)
class EnsembleKind:
    """A kind: its option's name (empty: none), default, and upper bound (the option is above 0, at most `most`)."""

    perturbs: bool
    option: str = ""
    default: float = 0.0
    most: float = float("inf")

    def value(self, name: str, options: dict[str, float]) -> float:
        """The option's value; raises HeftError where it is not this kind's, or out of range."""
        for given in set(options) - {self.option}:
            owner = next((kind for kind, found in KINDS.items() if found.option == given), "no kind")
            raise HeftError(f"{given} is an option of {owner}, not of {name}")
        value = options.get(self.option, self.default)
        if self.option and not 0 < value <= self.most:
            raise HeftError(f"{name}: {self.option} is {value}; it must be above 0 and at most {self.most:g}.")
        return value


KINDS = {
    "parameter_dropout": EnsembleKind(perturbs=True, option="p_max", default=0.01, most=1.0),
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

"""Which argument of `heft.score` gives a method what it needs, in words; without torch."""

from collections.abc import Iterable
from typing import NamedTuple

from heft.auxiliary.kinds import kinds_for

STATE = "a state_dict or a module"


class Argument(NamedTuple):
    """An argument of `heft.score`: its name, and what to pass."""

    name: str
    what: str


# Need of a method -> the argument that gives it. The model itself gives `final`; each kind of further trained models
# has an argument of the name of its need.
ARGUMENTS = {
    "validation": Argument("validation", "trusted examples, in any form that train may have"),
    "true_labels": Argument("true_labels", "the right label of each training example [n_train]"),
    "spaced": Argument(
        "checkpoints",
        f"states along the training, the earliest first: each {STATE}, or a pair of it and the learning rate there",
    ),
    "early": Argument("checkpoints", f"states after the first epochs, the earliest first: each {STATE}"),
    "dynamics": Argument(
        "dynamics",
        "logits of the training examples after each epoch [n_epochs, n_train, n_classes], or a pair [n_epochs, "
        "n_train] of the label's and the largest other one",
    ),
}


def arguments_of(needs: Iterable[str]) -> dict[str, Argument]:
    """{need: the argument that serves it}, in the order of the needs."""
    needs = tuple(needs)
    further = {
        kind.need: Argument(
            kind.need,
            f"{kind.gives}: {STATE}"
            if kind.models == 1
            else f"{kind.gives}; each is {STATE}, or a pair of it and what it was trained without, bool [n_train]",
        )
        for kind in kinds_for(needs).values()
    }
    served = ARGUMENTS | further
    return {need: served[need] for need in needs if need in served}

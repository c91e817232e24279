"""The decorator that registers a kind of ensembles; without torch."""

from collections.abc import Callable
from typing import TypeVar

Registered = TypeVar("Registered", bound=Callable[..., object])


def ensemble(
    *, title: str, members: str, perturbs: bool = False, earlier_epochs: bool = False, runs: str = ""
) -> Callable[[Registered], Registered]:
    """Registers `(trained, number, *, options...) -> MemberModel`; the keywords are literals.

    It is asked for members 1 and up, since member 0 is the trained model in every kind (see `heft.ensembles.member`).
    title: what tables and figures print. members: what they are, in words. One of these is true of a kind:
    perturbs: members are the trained model with its parameters or activations changed. earlier_epochs: member k is the
    run as it stood k epochs before its final state. runs: the kind of further trained models (`heft.auxiliary`) that
    the members are.
    """
    return lambda registered: registered

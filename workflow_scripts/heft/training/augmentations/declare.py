"""What an augmentation declares: it makes a random change of one picture."""

from collections.abc import Callable, Sequence

from torch import Tensor

from heft.errors import HeftError

Change = Callable[[Tensor], Tensor]
Augmentation = Callable[..., Change]


def augmentation() -> Callable[[Augmentation], Augmentation]:
    """Registers a function `(shape, *, options...) -> change`.

    shape: channels, height and width. change: called with a picture of that shape in 0..1, returns one of the same
    shape and type; it draws from torch's, numpy's or Python's global generator, which are seeded before each call.
    """
    return lambda function: function


def ordered(name: str, limits: Sequence[float]) -> tuple[float, float]:
    """The least and the most of a range; raises HeftError naming the option where the first is above the second."""
    least, most = limits
    if least > most:
        raise HeftError(f"{name} is [{least}, {most}]; the first may not be above the second.")
    return least, most

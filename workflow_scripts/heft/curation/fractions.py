"""How many examples a fraction is, and which fractions make sense for a training split of n examples."""

from collections.abc import Sequence

from heft.errors import HeftError


def n_lowest(fraction: float, n: int) -> int:
    """The number of `n` examples that an action acts on: `fraction * n`, rounded."""
    return round(fraction * n)


def check_fractions(fractions: Sequence[float], n: int, key: str) -> None:
    """Raises HeftError naming `key` where a fraction of `n` examples is none or all, or two are the same number."""
    first_of: dict[int, float] = {}
    for fraction in fractions:
        number = n_lowest(fraction, n)
        if not 0 < number < n:
            raise HeftError(
                f"{key} has {fraction:g}, which is {'none' if number == 0 else 'all'} of {n} training examples "
                f"(data.train); at least 1 and at most {n - 1} can be acted on."
            )
        if number in first_of:
            raise HeftError(
                f"{key} has {first_of[number]!r} and {fraction!r}, which are both {number} of {n} training examples "
                "(data.train); leave one of them out."
            )
        first_of[number] = fraction

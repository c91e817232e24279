"""Whether sizes of splits, the noise rate and fractions make sense together, as far as counts tell before a run."""

from collections.abc import Sequence

from heft.curation.fractions import check_fractions
from heft.data.settings import DataSettings
from heft.errors import HeftError


def check_numbers_of_examples(data: DataSettings, fractions: Sequence[float], where: str) -> None:
    """Raises HeftError where they do not; if `data.train` is no count, `split` checks noise rate and fractions."""
    try:
        data.check_sizes()
        if isinstance(data.train, int):
            data.noise.n_wrong(data.train)
    except HeftError as error:
        raise HeftError(f"{where}.{error}") from error
    if isinstance(data.train, int):
        check_fractions(fractions, data.train, f"{where}.fractions")

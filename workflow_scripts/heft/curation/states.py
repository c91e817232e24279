"""Names of the retrained models' weights in one file: `{action}-{fraction}/{parameter}`, `unpruned-0/...` for none."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from heft.errors import HeftError
from heft.variants import fraction_slug

if TYPE_CHECKING:
    from torch import Tensor


def state_name(action: str, fraction: float) -> str:
    """`remove-0.1`; `unpruned-0` where nothing is done."""
    return f"{action or 'unpruned'}-{fraction_slug(fraction)}"


def retrained_state(states: Mapping[str, "Tensor"], action: str, fraction: float) -> dict[str, "Tensor"]:
    """The parameters of one retrained model; raises HeftError where the file does not hold it."""
    prefix = f"{state_name(action, fraction)}/"
    state = {name.removeprefix(prefix): tensor for name, tensor in states.items() if name.startswith(prefix)}
    if not state:
        raise HeftError(f"the retrained models hold no {prefix[:-1]}; delete the file and run again.")
    return state

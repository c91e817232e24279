"""Out-of-fold predictions that a person has, in the place of models that are trained without a part of the data."""

from collections.abc import Iterable
from pathlib import Path

from heft.data.settings import DataSettings
from heft.errors import HeftError
from heft.workflow.configuration.persons_paths import place_of

# The kind of further models whose predictions of what they held out the file holds.
FOLDS = "folds"


def are_given(data: DataSettings, kind: str) -> bool:
    """Whether `data.predictions` stand in for the models of a kind."""
    return data.predictions is not None and kind == FOLDS


def check_given_predictions(data: DataSettings, roots: Iterable[Path], where: str) -> None:
    """Raises HeftError where the file is not there, or noise is planted, which makes the labels others."""
    if data.predictions is None:
        return
    if data.noise.kind != "none":
        raise HeftError(
            f'{where}.data.predictions is "{data.predictions}", but data.noise.kind is {data.noise.kind}, which plants '
            "other labels than the models of these predictions learnt; set it to none, or leave predictions out"
        )
    place_of(data.predictions, roots, f"{where}.data.predictions")

"""What is wrong with the encoder that an experiment names, before anything runs."""

from collections.abc import Iterable
from pathlib import Path

from heft.data.encoders.declare import check_installed
from heft.errors import HeftError
from heft.options import named
from heft.registry import find
from heft.workflow.configuration.persons_paths import with_places
from heft.workflow.configuration.settings import ExperimentSettings


def check_encoder(settings: ExperimentSettings, roots: Iterable[Path], where: str) -> None:
    """Raises HeftError, which the key `where` begins, where a package or a person's file that it needs is not there,
    or training would change examples that are encoded already."""
    if settings.encoder is None:
        return
    (name, options), roots = named(settings.encoder), list(roots)
    if settings.training.augmentation:
        raise HeftError(
            f'{where} is "{name}", which makes features before training, so that training.augmentation has no pictures '
            "to change; leave one of the two out"
        )
    with_places("data/encoders", name, options, roots, f"{where}.{name}.")
    try:
        check_installed(name, find("data/encoders", name, roots).fields["packages"] or {})
    except HeftError as error:
        raise HeftError(f"{where}: {error}") from error

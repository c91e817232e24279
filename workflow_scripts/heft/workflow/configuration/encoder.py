"""What is wrong with the encoder that an experiment names, before anything runs."""

from collections.abc import Iterable
from pathlib import Path

from heft.data.encoders.declare import check_installed
from heft.errors import HeftError
from heft.options import named
from heft.registry import declarations, find
from heft.workflow.configuration.persons_paths import with_places
from heft.workflow.configuration.settings import ExperimentSettings


def check_encoder(settings: ExperimentSettings, roots: Iterable[Path], where: str) -> None:
    """Raises HeftError, which the key `where` begins, where a package or a person's file that it needs is not there,
    training would change examples that are encoded already, or the data source gives what this encoder, or without one
    a model, does not take."""
    roots = list(roots)
    source = named(settings.data.source)[0]
    gives = find("data/sources", source, roots).fields.get("modality")
    if settings.encoder is None:
        if gives is not None and not find("data/modalities", gives).fields["axes"]:
            raise HeftError(
                f"{where} is null, and data source {source} gives {gives}, which no model takes; name an encoder: "
                f"{', '.join(encoders_of(gives))}, or one of your own"
            )
        return
    name, options = named(settings.encoder)
    takes = find("data/encoders", name, roots).fields["modality"]
    if gives not in (None, takes):
        others = ", ".join(encoders_of(gives)) or "none is registered, so leave it out, or write one of your own"
        raise HeftError(
            f'{where} is "{name}", which takes {takes}, but data source {source} gives {gives}; encoders of {gives}: '
            f"{others}"
        )
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


def encoders_of(modality: str) -> list[str]:
    """The registered encoders that take a modality."""
    return [name for name, one in declarations("data/encoders").items() if one.fields["modality"] == modality]

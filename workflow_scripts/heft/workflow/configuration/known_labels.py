"""Whether what an experiment asks for needs true labels that nothing gives."""

from collections.abc import Mapping

from heft.data.settings import DataSettings
from heft.errors import HeftError
from heft.options import named
from heft.registry import find
from heft.variants import Scorer


def needs_true_labels(methods: Mapping[str, Scorer], data: DataSettings) -> str:
    """The first method that needs true labels where no noise is planted, which would make them known; else empty."""
    if data.noise.kind != "none":
        return ""
    needs = {slug: find("methods", scorer.method).fields["needs"] for slug, scorer in methods.items()}
    return next((slug for slug, needed in needs.items() if "true_labels" in needed), "")


def check_known_labels(methods: Mapping[str, Scorer], data: DataSettings, where: str) -> None:
    """Raises HeftError if a method needs true labels that neither planted noise nor the declared source gives.

    Whether a person's own function, or a source whose options decide, gives some is known once it has run.
    """
    needed_by, (source, _) = needs_true_labels(methods, data), named(data.source)
    declared = find("data/sources", source).fields
    if needed_by and declared and declared["true_labels"] is False:
        raise HeftError(
            f"{where}.methods has {needed_by}, which needs true labels: data.noise.kind is none, so that none are "
            f"planted, and the data source {source} gives none"
        )

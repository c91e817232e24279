"""Who reads the labels of the validation split, by what files declare."""

from collections.abc import Iterable

from heft.auxiliary.kinds import kinds_for
from heft.declaration import Declaration


def readers_of_validation_labels(methods: Iterable[Declaration], baselines: Iterable[Declaration]) -> list[str]:
    """The names of methods and baselines whose numbers are as good as these labels, each once."""
    of_methods = [
        method.name
        for method in methods
        if "validation" in method.fields["needs"]
        or any(kind.trains_on_validation for kind in kinds_for(method.fields["needs"]).values())
    ]
    trained = [baseline.name for baseline in baselines if baseline.fields["trains_on_validation"]]
    return list(dict.fromkeys([*of_methods, *trained]))

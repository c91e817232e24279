"""Files that an experiment uses and that cannot be read as Python, such as one that is half written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from heft.errors import HeftError
from heft.own_module import find_module
from heft.registry import MISREAD, declarations, misread, unreadable
from heft.workflow.configuration.experiment import Experiment
from heft.workflow.configuration.settings import ExperimentSettings, Named
from heft.workflow.planning.fingerprint import Look


def resolve(
    settings: Mapping[str, ExperimentSettings],
    file_of: Callable[[Sequence[Any]], str],
    roots: Sequence[Path],
    look: Look,
) -> tuple[dict[str, Experiment], dict[str, str]]:
    """The experiments of a configuration, and of those that use a file which cannot be read a sentence.

    file_of: the configuration file in which the value of a path stands. Raises HeftError where an experiment
    contradicts itself, or none is left.
    """
    experiments, spoiled = {}, {}
    for experiment, found in settings.items():
        where = f"{file_of(['definitions', experiment])}: definitions.{experiment}"
        if reason := misread_file(found, roots, look):
            spoiled[experiment] = f"{where} cannot run: {reason}"
            continue
        experiments[experiment] = Experiment(experiment, found, where)
        experiments[experiment].check(roots)
    if not experiments:
        raise HeftError(next(iter(spoiled.values())))
    return experiments, spoiled


def misread_file(settings: ExperimentSettings, roots: Iterable[Path], look: Look) -> str:
    """A sentence on the first file that cannot be read of what an experiment uses, or that this imports; else empty."""
    model = _name(settings.model)
    used = {
        "data/sources": [settings.data.source],
        "models": [] if ":" in model else [model],
        "methods": [_name(entry) for entry in settings.methods],
        "baselines": [_name(entry) for entry in settings.baselines],
    }
    for room, names in used.items():
        broken, known = unreadable(room), declarations(room)
        for name in names:
            if name in broken:
                return broken[name]
            if reason := _reason(known[name].file, look):
                return reason
    own = find_module(model, roots) if ":" in model else None
    return _reason(own, look) if own else ""


def _reason(file: Path, look: Look) -> str:
    try:
        look.fingerprint(file, packages=())
    except MISREAD as error:
        return misread(Path(error.filename) if isinstance(error, SyntaxError) and error.filename else file, error)
    return ""


def _name(entry: Named) -> str:
    return entry if isinstance(entry, str) else next(iter(entry))

"""Files that an experiment uses and that cannot be read as Python, such as one that is half written."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from heft.errors import HeftError
from heft.own_module import find_module
from heft.registry import MISREAD, declarations, find, misread, unreadable
from heft.workflow.configuration.experiment import Experiment
from heft.workflow.configuration.named_keys import entries
from heft.workflow.configuration.settings import ExperimentSettings
from heft.workflow.planning.fingerprint import Look

# Rooms of which every experiment uses all files: each retrained model is measured by all of them.
EVALUATED_WITH = ("objectives", "evaluation/metrics")


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
    for experiment, asked in settings.items():
        where = f"{file_of(['definitions', experiment])}: definitions.{experiment}"
        if reason := misread_file(asked, roots, look):
            spoiled[experiment] = f"{where} cannot run: {reason}"
            continue
        experiments[experiment] = Experiment(experiment, asked, where)
        experiments[experiment].check(roots)
    if not experiments:
        raise HeftError(next(iter(spoiled.values())))
    return experiments, spoiled


def misread_file(settings: ExperimentSettings, roots: Sequence[Path], look: Look) -> str:
    """A sentence on the first file that cannot be read of what an experiment uses, or that this imports; else empty."""
    for room in EVALUATED_WITH:
        broken = [
            *unreadable(room).values(),
            *(_reason(declared.file, look) for declared in declarations(room).values()),
        ]
        if said := next(filter(None, broken), ""):
            return said
    for entry in entries(settings):
        if entry.is_own and find_module(entry.name, roots) is None:
            continue  # which `Experiment.check` says of the key
        try:
            declared = find(entry.key.room, entry.name, roots)
            further = [name for name in declared.fields.get("needs", ()) if ":" in name]
            files = [declared.file, *(find("auxiliary", name, roots).file for name in further)]
        except HeftError as error:
            return str(error)
        if reason := next(filter(None, (_reason(file, look) for file in files)), ""):
            return reason
    return ""


def _reason(file: Path, look: Look) -> str:
    try:
        look.fingerprint(file, packages=())
    except MISREAD as error:
        return misread(Path(error.filename) if isinstance(error, SyntaxError) and error.filename else file, error)
    return ""

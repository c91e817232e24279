"""Says before a run starts that a folder that it writes to cannot be one, or may not be written."""

import tempfile
from pathlib import Path

from heft.errors import HeftError
from heft.faults import sentence_of
from heft.workflow.tracking.local_store import database_of
from heft.workflow.tracking.store_address import tracking_uri

OF_SNAKEMAKE = Path(".snakemake")
OF_A_RUN = (Path(".heft"), Path("results"), Path("reports"), Path("logs"))


def check_places(folder: Path = Path()) -> None:
    """Raises HeftError where a file or a broken link stands in the place of a folder; or where Snakemake, which keeps
    notes also when it only plans, may not write its own."""
    for place in (OF_SNAKEMAKE, *OF_A_RUN):
        if (folder / place).is_symlink() and not (folder / place).exists():
            raise HeftError(f"{place} is a link to a place that is not there; mend or remove it")
        if (folder / place).exists() and not (folder / place).is_dir():
            raise HeftError(f"{place} is a file; a folder must stand there: move the file away")
    check_writable(folder / OF_SNAKEMAKE)
    _check_letters(folder)


def _check_letters(folder: Path) -> None:
    """MLflow writes the path of a new SQLite store into a configuration file, and that of its artifacts into SQL."""
    store = database_of(tracking_uri())
    path = str(folder.resolve())
    if store is not None and ("%" in path or {"'", '"'} <= set(path)):
        raise HeftError(
            f"MLflow cannot keep its store in a folder whose path holds % or both kinds of quotes ({path}); rename it, "
            "or send the runs to a server with MLFLOW_TRACKING_URI"
        )


def check_writable(*places: Path) -> None:
    """Makes folders that are not there; raises HeftError where a new file cannot be made in one."""
    for place in places or OF_A_RUN:
        try:
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            error.filename = str(place)
            raise HeftError(sentence_of(error) or f"{place} cannot be written: {error.strerror}") from error

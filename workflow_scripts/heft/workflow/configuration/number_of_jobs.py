"""How many jobs an experiment asks for, before any of them is planned."""

from math import prod

from heft.errors import HeftError
from heft.options import named
from heft.workflow.configuration.settings import ExperimentSettings

MOST_JOBS = 100_000


def check_number_of_jobs(settings: ExperimentSettings, where: str) -> None:
    """Raises HeftError, which `where` begins, where there are too many: to list them would take memory and time.

    There are four jobs for each variant of each seed.
    """
    choices = [
        prod(len(value) for value in options.values() if isinstance(value, list))
        for _, options in map(named, settings.methods)
    ]
    sizes = sum(len(ensemble.sizes) for ensemble in settings.ensembles)
    jobs = 4 * len(settings.seeds) * sum(choices) * (1 + sizes)
    if jobs > MOST_JOBS:
        raise HeftError(
            f"{where} asks for about {jobs:,} jobs ({len(settings.seeds)} seeds, {sum(choices)} methods "
            f"with their options, {sizes} sizes of ensembles); at most {MOST_JOBS:,} are allowed"
        )

"""Numbers of epochs that a training must be long enough for."""

from heft.errors import HeftError
from heft.workflow.configuration.settings import ExperimentSettings


def check_epochs(settings: ExperimentSettings, where: str) -> None:
    """Raises HeftError where checkpoints or a warm-up want more epochs than the training has."""
    epochs = settings.training.epochs
    limited = {
        "checkpoints.spaced": settings.checkpoints.spaced,
        "checkpoints.early": settings.checkpoints.early,
        "training.warmup_epochs": settings.training.warmup_epochs,
    }
    for key, value in limited.items():
        if value > epochs:
            raise HeftError(f"{where}.{key} is {value}; it must be at most training.epochs, which is {epochs}")

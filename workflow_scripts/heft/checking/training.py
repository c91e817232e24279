"""Whether a few steps of training are those of SGD, alone and many models together."""

import torch
from torch import Tensor

from heft.checking.finding import Finding
from heft.checking.plain_sgd import plain_sgd
from heft.checking.subject import SEED, Subject
from heft.models.closeness import rounding_of
from heft.training.batched import ONE_BY_ONE, stack_states, train_many, unstack_state
from heft.training.loop import state_of, train_one
from heft.training.settings import TrainingSettings

STEPS = 3
ALONE = f"{STEPS} steps of training are those of torch.optim.SGD"
TOGETHER = "models trained together are those trained alone"


def settings_of(subject: Subject) -> TrainingSettings:
    """Three steps, each on all examples."""
    return TrainingSettings(epochs=STEPS, batch_size=len(subject.examples), learning_rate=0.01, schedule="constant")


def trains_alone(subject: Subject) -> Finding:
    """Compares `train_one` with plain SGD from the same parameters, in the same batches, with the same draws."""
    settings = settings_of(subject)
    expected = plain_sgd(subject.fresh(), subject.examples, settings, SEED)
    broken = next((name for name, tensor in expected.items() if not tensor.isfinite().all()), None)
    if broken:
        return Finding(ALONE, f"{broken} is not finite after {STEPS} steps: a gradient is not finite")
    found = train_one(subject.fresh(), subject.examples, settings, order_seed=SEED)
    return Finding(ALONE, _difference(found, expected))


def trains_together(subject: Subject) -> Finding:
    """Compares two models trained together, as retraining does, with each of them alone."""
    if any(isinstance(module, ONE_BY_ONE) for module in subject.model.modules()):
        return Finding(TOGETHER, note="trained one by one")
    settings, seeds = settings_of(subject), (SEED, SEED + 1)
    initial = [state_of(subject.fresh(seed)) for seed in seeds]
    stacked = stack_states(initial)
    together = train_many(subject.fresh(), stacked, subject.examples, settings, order_seeds=seeds)
    for number, seed in enumerate(seeds):
        alone = train_one(subject.fresh(seed), subject.examples, settings, order_seed=seed)
        if reason := _difference(unstack_state(together, number), alone):
            return Finding(TOGETHER, reason)
    return Finding(TOGETHER)


def _difference(found: dict[str, Tensor], expected: dict[str, Tensor]) -> str:
    """The tensor that differs most, where one differs by more than its type rounds."""
    errors = {name: _relative_error(found[name], tensor) for name, tensor in expected.items()}
    worst = max(errors, key=lambda name: errors[name] / _allowed(expected[name]))
    if errors[worst] <= _allowed(expected[worst]):
        return ""
    return f"{worst} differs by {errors[worst]:.1e} of its largest entry"


def _relative_error(found: Tensor, expected: Tensor) -> float:
    found, expected = found.double(), expected.double()
    if torch.equal(found, expected):
        return 0.0
    return float((found - expected).abs().max() / expected.abs().max().clamp(min=1e-30))


def _allowed(tensor: Tensor) -> float:
    return rounding_of([tensor]) or 1e-30

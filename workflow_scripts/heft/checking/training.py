"""Whether a few steps of training are those of SGD, alone and many models together."""

import torch
from torch import Tensor

from heft.checking.finding import Finding
from heft.checking.subject import SEED, STEPS, Subject
from heft.models.soundness.closeness import rounding_of
from heft.training.batched.train_many import ONE_BY_ONE, stack_states, train_many, unstack_state
from heft.training.loop import state_of, train_one

SMALL = 0.01
ALONE = f"{STEPS} steps of training are those of torch.optim.SGD"
TOGETHER = "models trained together are those trained alone"


def trains_alone(subject: Subject) -> Finding:
    """Compares `train_one` with plain SGD from the same parameters, in the same batches, with the same draws."""
    case, settings, expected = subject.in_double, subject.short_training, state_of(subject.plainly_trained)
    broken = next((name for name, tensor in expected.items() if not tensor.isfinite().all()), None)
    if broken:
        return Finding(ALONE, f"{broken} is not finite after {STEPS} steps: a gradient is not finite")
    trained = train_one(case.fresh(SEED), case.examples, settings, order_seed=SEED)
    return Finding(ALONE, _difference(trained, expected))


def trains_together(subject: Subject) -> Finding:
    """Compares two models trained together, as retraining does, with each of them alone."""
    if any(isinstance(module, ONE_BY_ONE) for module in subject.model.modules()):
        return Finding(TOGETHER, note="trained one by one")
    case, settings, seeds = subject.in_double, subject.short_training, (SEED, SEED + 1)
    stacked = stack_states([state_of(case.fresh(seed)) for seed in seeds])
    reasons: list[str] = []
    fresh = case.fresh(SEED)
    together = train_many(fresh, stacked, case.examples, settings, order_seeds=seeds, told=reasons.append)
    for number, seed in enumerate(seeds):
        alone = train_one(case.fresh(seed), case.examples, settings, order_seed=seed)
        if reason := _difference(unstack_state(together, number), alone):
            return Finding(TOGETHER, reason)
    return Finding(TOGETHER, note=f"trained one by one, since {reasons[0]}" if reasons else "")


def _difference(trained: dict[str, Tensor], expected: dict[str, Tensor]) -> str:
    """The tensor that differs most, where one differs by more than its type rounds."""
    largest = max(float(tensor.abs().max()) for tensor in expected.values() if tensor.numel())
    errors = {name: _relative_error(trained[name], tensor, largest) for name, tensor in expected.items()}
    worst = max(errors, key=lambda name: errors[name] / _allowed(expected[name]))
    if errors[worst] <= _allowed(expected[worst]):
        return ""
    return f"{worst} differs by {errors[worst]:.1e} of its largest entry"


def _relative_error(trained: Tensor, expected: Tensor, largest: float) -> float:
    """Relative to the largest entry; of a tensor that is small beside others, to a hundredth of theirs."""
    trained, expected = trained.cpu().double(), expected.cpu().double()
    if torch.equal(trained, expected):
        return 0.0
    return float((trained - expected).abs().max()) / max(float(expected.abs().max()), SMALL * largest)


def _allowed(tensor: Tensor) -> float:
    return rounding_of([tensor]) or 1e-30

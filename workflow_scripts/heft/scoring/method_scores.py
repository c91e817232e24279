"""The scores of a method at one member of an ensemble: what it is given whatever the member, and how it is run."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from torch import Tensor, nn

from heft.errors import HeftError
from heft.kernels.batch import Batch
from heft.methods.context import Context
from heft.objectives.declare import Objective
from heft.scoring.aggregate import check_scores


def base_context(
    needs: Sequence[str],
    *,
    model: nn.Module | None,
    train: Batch,
    validation: Batch | None,
    true_labels: Tensor | None,
    n_classes: int,
    seed: int,
    weight_decay: float,
    objective: Objective | None,
    given_probabilities: Tensor | None = None,
) -> Context:
    """What a method gets at every member: of the data only what it needs, and no state yet."""
    return Context(
        train=train,
        n_classes=n_classes,
        seed=seed,
        model=model,
        validation=validation if "validation" in needs else None,
        true_labels=true_labels if "true_labels" in needs else None,
        objective=objective,
        weight_decay=weight_decay,
        given_probabilities=given_probabilities if "folds" in needs else None,
    )


def method_scores(name: str, score: Callable[[Context], Tensor], context: Context, where: str = "") -> np.ndarray:
    """Float64 [n_train] on the CPU; low scores are detrimental.

    score: the method with its options. where: what a sentence says beside the method's name, such as the member.
    Raises HeftError where the method cannot run, or its scores are not one finite number an example, or all alike.
    """
    with named(name, where):
        scores = score(context)
    return check_scores(scores.cpu().double().numpy(), len(context.train.labels), name, where)


@contextmanager
def named(name: str, where: str = "") -> Iterator[None]:
    """Puts the method and `where` in front of the sentence of a HeftError."""
    try:
        yield
    except HeftError as error:
        raise HeftError(f"Method {name}{where and f', {where}'}: {error}") from error

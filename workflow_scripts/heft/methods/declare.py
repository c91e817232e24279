"""What a method declares of itself: the decorator that registers it."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

Score = Callable[..., Tensor]
# What a family of methods looks at, in the order of the docs.
FAMILIES = {
    "gradients": "Gradients, without curvature",
    "influence": "Influence functions, with the curvature of the training loss",
    "training": "What training recorded of each epoch",
    "predictions": "Predictions of a trained model",
    "inputs": "Inputs or embeddings alone, without the trained model",
    "references": "References, to compare with",
    "": "Others",
}


def method(
    *,
    formula: str,
    paper: str,
    predicts: str,
    needs: tuple[str, ...] = (),
    ensemble: bool,
    title: str = "",
    family: str = "",
    counterfactual: bool = False,
    derived_for_sgd: str = "",
    assumes: str = "",
    cost: str = "",
    memory: str = "",
    fails: str = "",
) -> Callable[[Score], Score]:
    """Registers `(context, *, options...) -> scores [n_train]`; the keywords are literals, read without importing.

    formula: of the score, with its sign. paper: who defined it. predicts: what the number means, in words.
    needs: what the context must hold (`final`, `spaced`, `early`, `dynamics`, `validation`, `true_labels`), and further
    trained models by the `need` of their kind (`heft/auxiliary`), such as `folds`.
    ensemble: whether a mean over ensemble members makes sense. title: the name that tables and figures print.
    family: what it looks at, a key of `FAMILIES`, under which the docs list it.
    counterfactual: whether, at an optimum and as damping goes to 0, s_i / n is the change of f when the weight of
    example i goes from 1 / n to 0, in size and not only in order. derived_for_sgd: what the formula builds on that
    holds for SGD alone, as a part of a sentence; where another optimiser trained, the run says so. assumes, cost (in
    forward passes over the training set), memory, fails (when): for the method's page in docs/methods.
    """
    if family not in FAMILIES:
        raise ValueError(f"a method's family is {family!r}; known are {', '.join(filter(None, FAMILIES))}")

    def register(function: Score) -> Score:
        registered: Any = function
        registered.needs, registered.ensemble = tuple(needs), ensemble
        registered.formula, registered.paper, registered.predicts = formula, paper, predicts
        registered.title = title or function.__name__
        return function

    return register

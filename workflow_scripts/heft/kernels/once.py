"""Remembers what was found out about a model, so that it is tried once a model and not once a call."""

from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from torch import nn

Answer = TypeVar("Answer")

_ANSWERS: WeakKeyDictionary[nn.Module, dict[object, Any]] = WeakKeyDictionary()


def once_a_model(model: nn.Module, question: str, find: Callable[[], Answer]) -> Answer:
    """What `find` says of the model: asked anew where parameters have been added, frozen, freed or cast since.

    The answer must hold no part of the model, which could then never be let go of.
    """
    key = (question, *((name, tensor.requires_grad, tensor.dtype) for name, tensor in model.named_parameters()))
    answers = _ANSWERS.setdefault(model, {})
    if key not in answers:
        answers[key] = find()
    answer: Answer = answers[key]
    return answer

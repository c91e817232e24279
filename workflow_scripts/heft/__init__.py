"""Heft weighs training data: which examples hurt a model, and what removing them does.

From Python: `heft.score`, `heft.suspects` and `heft.methods` (docs/from_python.md). Importing heft imports no torch.
"""

import importlib

from heft.errors import HeftError, HeftWarning

TYPE_CHECKING = False  # a type checker takes it for true; typing itself is half of what importing heft would cost
if TYPE_CHECKING:
    from typing import Any

    from heft.api import Suspect, score, suspects

__all__ = ["HeftError", "HeftWarning", "Suspect", "methods", "score", "suspects"]


def __getattr__(name: str) -> "Any":
    """What is used for the first time; by name, so that the code of a job does not hang on it."""
    if name == "methods":
        return importlib.import_module("heft.methods")
    if name in __all__:
        return getattr(importlib.import_module("heft.api"), name)
    raise AttributeError(f"module heft has no attribute {name}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]

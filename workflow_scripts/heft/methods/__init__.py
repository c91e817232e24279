"""Attribution methods, one file each. The package can be called: `heft.methods()` lists them."""

import importlib
import sys
from types import ModuleType
from typing import Any


class _Methods(ModuleType):
    """The package `heft.methods` and the function of that name, which Python lets stand in one place only so."""

    def __call__(self, name: str | None = None) -> Any:
        """A table of all methods, or the facts of one; see `heft.arguments.method_table.methods`."""
        return importlib.import_module("heft.arguments.method_table").methods(name)


sys.modules[__name__].__class__ = _Methods

"""Finds a person's own module, `package.module:function`, beside the configuration or in the project; without torch."""

import os
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from pathlib import Path

from heft.errors import HeftError

# Environment variable: folders, in the order of the search path, where a user's own modules may lie.
MODULES_VARIABLE = "HEFT_MODULES"
SCRIPTS = Path(__file__).parent.parent


def module_roots() -> list[Path]:
    """Folders where a user's own modules may lie: beside the configuration, then the project's."""
    named = filter(None, os.environ.get(MODULES_VARIABLE, "").split(os.pathsep))
    return list(dict.fromkeys([*map(Path, named), Path.cwd()]))


def module_file(import_path: str, root: Path) -> Path | None:
    """The file of `package.module:function` under `root`, or None."""
    stem = root.joinpath(*import_path.partition(":")[0].split("."))
    candidates = [stem.with_suffix(".py"), stem / "__init__.py"]
    return next((file for file in candidates if file.is_file()), None)


def find_module(import_path: str, roots: Iterable[Path]) -> Path | None:
    """The file of the module under the first of `roots` that has it; None where none has.

    Raises HeftError where two of them have different ones, or Python would import another module of that name.
    """
    found = {root: file for root in roots if (file := module_file(import_path, root))}
    if not found:
        return None
    file, *others = found.values()
    for other in others:
        if other.read_bytes() != file.read_bytes():
            raise HeftError(f'"{import_path}" is in two places, {file} and {other}; give one of them another name')
    package = import_path.partition(":")[0].partition(".")[0]
    hiding = _installed(package, found)
    if hiding:
        raise HeftError(f'"{import_path}": {file} has the name of {hiding}, which Python takes; give it another name')
    return file


def _installed(package: str, roots: Iterable[Path]) -> str | None:
    """What is imported under the name from elsewhere than `roots`: their own folders are searched last."""
    if package in sys.stdlib_module_names:
        return f"Python's own module {package}"
    own = {root.resolve() for root in roots}
    elsewhere = [place for place in [str(SCRIPTS), *sys.path] if place and Path(place).resolve() not in own]
    specification = PathFinder.find_spec(package, elsewhere)
    if specification is None or specification.origin is None:  # a folder without code hides nothing
        return None
    return f"another module, {specification.origin}"

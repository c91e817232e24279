"""Finds and imports a person's own `package.module:function`, beside the configuration or in the project."""

import importlib
import os
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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
    files = {root: file for root in roots if (file := module_file(import_path, root))}
    if not files:
        return None
    file, *others = files.values()
    for other in others:
        if other.read_bytes() != file.read_bytes():
            raise HeftError(f'"{import_path}" is in two places, {file} and {other}; give one of them another name')
    package = import_path.partition(":")[0].partition(".")[0]
    hiding = _installed(package, files)
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


def import_own(import_path: str, word: str) -> Any:
    """What `package.module:name` names, imported; `word` says what it is to be, such as model.

    Raises HeftError where the module or the name is not there, or the module fails or changes torch's settings.
    """
    from heft.persons_code import persons_code

    module_name, _, name = import_path.partition(":")
    roots = module_roots()
    file = find_module(import_path, roots)
    # Last, so that a file of these folders never hides an installed package.
    sys.path += [str(root) for root in roots if str(root) not in sys.path]
    if file is None and module_name not in sys.modules and find_spec(module_name.partition(".")[0]) is None:
        folders = ", ".join(map(str, roots))
        raise HeftError(f'{word} "{import_path}" cannot be imported: there is no {module_name} in {folders}.')
    known = set(sys.modules)
    try:
        with persons_code(f'{word} "{import_path}" cannot be imported'):
            module = importlib.import_module(module_name)
    except HeftError:
        for imported in set(sys.modules) - known:  # so that the next try meets the same mistake
            if imported.partition(".")[0] == module_name.partition(".")[0]:
                del sys.modules[imported]
        raise
    if not hasattr(module, name):
        names = [key for key, value in vars(module).items() if getattr(value, "__module__", "") == module_name]
        raise HeftError(
            f'{word} "{import_path}" cannot be imported: {file or module_name} has no {name}; '
            f"it has: {', '.join(names) or 'nothing'}."
        )
    return getattr(module, name)

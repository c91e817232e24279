"""Fingerprints of code: {module: hash} of what a stage runs, so that an edit reruns the stage and a comment does not.

A module's hash is over its parsed text without docstrings: comments, docstrings, layout and a `touch` leave it as it
is. Imports are followed transitively within the project, to the module that defines a name; those of a person's own
module also to the files beside it, and to the versions of installed packages. Modules that no number depends on are
left out (`WITHOUT_NUMBERS`): an edit of the workflow, or of a sentence, reruns nothing.
"""

import hashlib
import os
import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions
from importlib.metadata import version as version_of
from pathlib import Path

from heft.own_module import module_roots
from heft.workflow.planning.parsed import Import, parsed

PACKAGE_ROOT = Path(__file__).parents[3]
NUMERIC_PACKAGES = ("numpy", "torch", "torchvision")
# Modules, and rooms with all that is in them, that only plan, find code whose own file is followed, say sentences, or
# move bytes: they are not followed.
WITHOUT_NUMBERS = (
    "heft.workflow",
    "heft.errors",
    "heft.faults",
    "heft.artifacts",
    "heft.atomic_files",
    "heft.checksum",
    "heft.registry",
    "heft.rooms",
    "heft.declaration",
    "heft.signatures",
    "heft.annotations",
    "heft.options",
    "heft.phrases",
    "heft.own_module",
    "heft.scoring.memory",
)
# What is followed all the same: it reads files back as what numbers are made of.
WITH_NUMBERS = "heft.workflow.results"


class Look:
    """One look at the files, for many fingerprints: each file is asked for once, and seen by all as it was then.

    root: the folder of the project's package.
    """

    def __init__(self, root: Path = PACKAGE_ROOT) -> None:
        self._root, self._own_roots = root, tuple(module_roots())
        self._files: dict[tuple[str, bool], Path | None] = {}
        self._imports: dict[Path, dict[str, Path]] = {}
        self._hashes: dict[Path, str] = {}
        self._fingerprints: dict[tuple[tuple[Path, ...], tuple[str, ...]], dict[str, str]] = {}

    def fingerprint(self, *files: Path, packages: Iterable[str] = NUMERIC_PACKAGES) -> dict[str, str]:
        """{module or file name: hash} of `files` and of the modules that they import, and the packages' versions.

        A file that is not Python, such as a template, is hashed as it is.
        """
        asked = (files, tuple(packages))
        if asked not in self._fingerprints:
            reached = self._reached(files)
            hashes = {name: self._hash(file) for name, file in reached.items()}
            versions = {package: _version(package) for package in asked[1]}
            for file in reached.values():
                versions |= self._installed(file)
            self._fingerprints[asked] = dict(sorted(hashes.items())) | dict(sorted(versions.items()))
        return dict(self._fingerprints[asked])

    def imported_modules(self, file: Path) -> dict[str, Path]:
        """The modules of the project, or of a person, that a file imports itself, by name; imports for type checkers
        alone do not count."""
        if file.suffix != ".py":
            return {}
        if file not in self._imports:
            names = self._imported_names(file)
            if self._is_own(file):  # Python runs the packages around a person's module too
                around = [package for name in (self._dotted(file), *names) for package in _packages_around(name)]
                names = list(dict.fromkeys((*names, *around)))
            files = {name: self._file_of(name, self._is_own(file)) for name in names}
            self._imports[file] = {name: imported for name, imported in files.items() if imported}
        return self._imports[file]

    def _reached(self, files: Iterable[Path]) -> dict[str, Path]:
        reached: dict[str, Path] = {}
        waiting = [(self._name_of(file), file) for file in files]
        while waiting:
            name, file = waiting.pop()
            if name not in reached:
                reached[name] = file
                waiting += [
                    (module, imported)
                    for module, imported in self.imported_modules(file).items()
                    if has_numbers(module)
                ]
        return reached

    def _is_own(self, file: Path) -> bool:
        """Whether it is a person's file, which may import others beside it."""
        return not str(file).startswith(f"{self._root}{os.sep}")

    def _installed(self, file: Path) -> dict[str, str]:
        """Versions of the packages that a person's own file imports from elsewhere."""
        if not self._is_own(file) or file.suffix != ".py":
            return {}
        names = {name.partition(".")[0] for name in self._imported_names(file)}
        names -= {*sys.stdlib_module_names, *NUMERIC_PACKAGES}
        names -= {name for name in names if self._file_of(name, True)}
        return {package: _version(package) for name in names for package in _distributions().get(name, ())}

    def _hash(self, file: Path) -> str:
        if file not in self._hashes:
            is_python = file.suffix == ".py"
            self._hashes[file] = parsed(file).digest if is_python else _sha256(file.read_bytes())
        return self._hashes[file]

    def _imported_names(self, file: Path) -> list[str]:
        own, names = self._is_own(file), []
        for statement in parsed(file).imports:
            module, taken = self._absolute(file, statement), statement.names
            names += [self._defining_module(module, name, own) for name in taken] if taken else [module]
        return list(dict.fromkeys(names))

    def _absolute(self, file: Path, statement: Import) -> str:
        """The module of `from module import ...`, also where it begins with dots."""
        if statement.level == 0:
            return statement.module
        package = self._dotted(file).split(".")[: -statement.level]
        return ".".join([*package, *([statement.module] if statement.module else [])])

    def _dotted(self, file: Path) -> str:
        """`package.module`; of a package itself `package.__init__`, which lies as deep as its modules."""
        roots = (self._root, *self._own_roots) if self._is_own(file) else (self._root,)
        root = next((root for root in roots if file.is_relative_to(root)), file.parent)
        return ".".join(file.relative_to(root).with_suffix("").parts)

    def _defining_module(self, module: str, name: str, own: bool) -> str:
        """`module.name` if that is a module, the module that `module`'s package takes `name` from, or `module`."""
        if self._file_of(f"{module}.{name}", own):
            return f"{module}.{name}"
        file = self._file_of(module, own)
        if file is not None and file.name == "__init__.py" and name in (taken := parsed(file).taken):
            return self._defining_module(self._absolute(file, taken[name]), name, own)
        return module

    def _file_of(self, module: str, own: bool) -> Path | None:
        """own: whether it is looked for among a person's files too."""
        if (module, own) not in self._files:
            stems = [root.joinpath(*module.split(".")) for root in (self._root, *(self._own_roots if own else ()))]
            places = (place for stem in stems for place in (stem.with_suffix(".py"), stem / "__init__.py"))
            self._files[module, own] = next((place for place in places if place.is_file()), None) if module else None
        return self._files[module, own]

    def _name_of(self, file: Path) -> str:
        if file.suffix == ".py" and file.is_relative_to(self._root / "heft"):
            return ".".join(file.relative_to(self._root).with_suffix("").parts)
        # Two of a person's own files may share a name, each in a package of its own.
        roots = [root for root in self._own_roots if self._is_own(file) and file.is_relative_to(root)]
        return file.relative_to(roots[0]).as_posix() if roots else file.name


def has_numbers(module: str) -> bool:
    """Whether numbers may depend on a module."""
    return _is_in(module, WITH_NUMBERS) or not any(_is_in(module, room) for room in WITHOUT_NUMBERS)


def _is_in(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def _packages_around(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts))]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


@cache
def _version(package: str) -> str:
    return version_of(package)


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())

"""Finds methods, models, data sources and all else that one file adds, by reading it, without importing torch.

A file of a room is registered if a function or a class in it carries the room's decorator (`@method(...)`,
`@model(...)`). The registered name is the file's, and the function's; a class is named after it: `fine_tunes.py` holds
`FineTunes`. In the place of a registered name, `package.module:function` names a person's own.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from heft.declaration import Declaration, read_declaration, read_own
from heft.errors import HeftError
from heft.own_module import find_module, module_roots
from heft.phrases import nearest
from heft.rooms import DECORATORS, PACKAGE

# What reading a file as Python may raise.
MISREAD = (OSError, RecursionError, SyntaxError, ValueError)
# Room -> what its files may need of the trained model and of the data.
NEEDS = {
    "methods": ("final", "spaced", "early", "dynamics", "validation", "true_labels"),
    "objectives": ("groups",),
    "evaluation/metrics": ("groups",),
}
# Rooms whose files may also need what a kind of further trained models serves.
NEED_FURTHER_MODELS = ("methods", "curation")
_FOLDERS: dict[str, list[Path]] = {room: [PACKAGE / room] for room in DECORATORS}


def declarations(room: str) -> dict[str, Declaration]:
    """All declarations of a room, a key of `DECORATORS`, by name, sorted; see also `unreadable`."""
    contents = _read_all(room).values()
    by_name = {declared.name: declared for declared in contents if isinstance(declared, Declaration)}
    return dict(sorted(by_name.items()))


def unreadable(room: str) -> dict[str, str]:
    """{name of the file: a sentence} of the files of a room that cannot be read, such as one that is half written."""
    return {file.stem: content for file, content in _read_all(room).items() if isinstance(content, str)}


def find(room: str, name: str, roots: Iterable[Path] | None = None) -> Declaration:
    """The declaration of a registered name, or of a person's own `package.module:function`.

    roots: the folders in which such a module may lie; None: those of `own_module.module_roots`. Raises HeftError where
    there is none, or its file cannot be read.
    """
    if ":" in name:
        return _find_own(room, name, module_roots() if roots is None else roots)
    for file in (folder / f"{name}.py" for folder in _FOLDERS[room]):
        declared = _read(file, room) if os.path.lexists(file) else None
        if isinstance(declared, str):
            raise HeftError(declared)
        if declared:
            return declared
    raise HeftError(
        f'{DECORATORS[room]} "{name}" is not known{nearest(name, declarations(room))}, '
        "or your own package.module:function"
    )


def misread(file: Path, error: Exception) -> str:
    """A sentence on a file of Python that cannot be read."""
    if str(error).startswith(str(file)):
        return str(error)
    line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
    reason = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{file}{line} cannot be read: {reason}"


@contextmanager
def added_folder(room: str, folder: Path) -> Iterator[None]:
    """Lets `declarations` find files of `folder` too, within the block."""
    _FOLDERS[room].append(folder)
    try:
        yield
    finally:
        _FOLDERS[room].remove(folder)


def _find_own(room: str, name: str, roots: Iterable[Path]) -> Declaration:
    file = find_module(name, roots)
    if file is None:
        raise HeftError(
            f'{DECORATORS[room]} "{name}" cannot be found: there is no {name.partition(":")[0]} in '
            f"{', '.join(map(str, roots))}"
        )
    try:
        declared = read_own(name, file, room)
    except MISREAD as error:
        raise HeftError(misread(file, error)) from error
    if said := _unknown_need(declared, roots):
        raise HeftError(said)
    return declared


def _read_all(room: str) -> dict[Path, Declaration | str | None]:
    files = sorted(file for folder in _FOLDERS[room] for file in folder.glob("[!.]*.py"))
    return {file: _read(file, room) for file in files}


def _read(file: Path, room: str) -> Declaration | str | None:
    """The declaration in a file, None where it has none, or a sentence on why it cannot be read."""
    try:
        declared = read_declaration(file, room)
    except MISREAD as error:
        return misread(file, error)
    return (_unknown_need(declared) or declared) if declared else None


def _unknown_need(declared: Declaration, roots: Iterable[Path] | None = None) -> str:
    """A sentence on a need that nothing serves; else empty."""
    known = {*NEEDS.get(declared.room, ())}
    further = {*declared.fields.get("needs", ())} - known
    if further and declared.room in NEED_FURTHER_MODELS:
        for own in sorted(need for need in further if ":" in need):
            try:
                find("auxiliary", own, roots)
            except HeftError as error:
                return f'{declared.file}, line {declared.line}: needs has "{own}": {error}'
            known.add(own)
        known |= {kind.fields["need"] for kind in declarations("auxiliary").values()} - {""}
    unknown = next(iter(sorted(further - known)), "")
    if not unknown:
        return ""
    return f'{declared.file}, line {declared.line}: needs has "{unknown}"{nearest(unknown, known)}'

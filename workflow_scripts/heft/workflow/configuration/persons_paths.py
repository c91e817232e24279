"""Files and folders of a person's own that a source, a model or an encoder reads: which options name them, and where
they lie."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from heft.data.arrays import array_place
from heft.errors import HeftError
from heft.registry import find
from heft.rooms import NO_PATH, PATHS


def with_places(
    room: str, name: str, options: Mapping[str, Any], roots: Iterable[Path], where: str = ""
) -> dict[str, Any]:
    """The options of a name in a room, with each path as it is reached from the working folder.

    roots: the folders in which a path that is not absolute may lie, the first that has it wins. Raises HeftError,
    which `where` begins, where nothing lies there.
    """
    roots = list(roots)
    named = _path_options(room, name, options, roots)
    return {key: place_of(value, roots, f"{where}{key}") if key in named else value for key, value in options.items()}


def source_with_places(
    source: str, options: Mapping[str, Any], trusted: str | None, roots: Iterable[Path]
) -> dict[str, Any]:
    """A source as `prepare` reads it: `name`, `options`, and where it is given the file of `trusted` ids."""
    roots = list(roots)
    found = {"trusted": place_of(trusted, roots, "data.trusted")} if trusted else {}
    return {"name": source, "options": with_places("data/sources", source, options, roots), **found}


def persons_places(room: str, name: str, options: Mapping[str, Any]) -> list[Path]:
    """The files and folders that the options name, once `with_places` has found them."""
    return [array_place(options[key]).path for key in _path_options(room, name, options)]


def _path_options(room: str, name: str, options: Mapping[str, Any], roots: Iterable[Path] | None = None) -> list[str]:
    """The options that are given and name a file or a folder."""
    named = (*find(room, name, roots).fields.get("paths", ()), *PATHS.get(room, ()))
    return [key for key in named if isinstance(options.get(key), str) and options[key] != NO_PATH]


def place_of(value: str, roots: Iterable[Path], called: str) -> str:
    """A path as it is reached from the working folder; see `with_places`. `called` names it in a sentence."""
    roots = list(roots)
    given = Path(value).expanduser()
    looked_at = [given] if given.is_absolute() else [root / given for root in roots]
    found = next((path for path in looked_at if array_place(path).path.exists()), None)
    if found is None:
        beside = f", which is in none of {', '.join(map(str, roots))}" if not given.is_absolute() else ""
        raise HeftError(f'{called} is "{value}"{beside or ", where there is nothing"}')
    place, here = found.absolute(), Path.cwd()
    return str(place.relative_to(here) if place.is_relative_to(here) else place)

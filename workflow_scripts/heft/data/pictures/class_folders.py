"""Files in class folders, which may lie below `train`, `validation` and `test`: pictures, or another kind."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from heft.data.pictures.formats import is_picture
from heft.data.pictures.listed import Listed, id_of, named, shown_id
from heft.data.read_files import files_below, is_unicode
from heft.data.split_names import SPLIT_OF
from heft.errors import HeftError
from heft.phrases import on_one_line


@dataclass(frozen=True)
class FileKind:
    """What files are wanted. one, several: words of a sentence. suffix: of an example. columns: of a CSV file."""

    one: str
    several: str
    suffix: str
    columns: str
    fits: Callable[[Path], bool]


PICTURES = FileKind("picture", "pictures", ".jpg", "path and label", is_picture)


@dataclass(frozen=True)
class ClassFolder:
    """A folder of one class. split: where it lies below `train` and the like, else None."""

    place: Path
    split: str | None

    @property
    def label(self) -> str:
        """The name of the class."""
        return id_of(Path(self.place.name))


def list_class_folders(root: Path, kind: FileKind = PICTURES) -> Listed:
    """The files of a kind below `root` by folder and name, with the name of the folder as their class.

    Raises HeftError where there are none, or of one class alone.
    """
    listed = Listed(files={root.name: root})
    parts, beside = split_folders(root)
    listed.split = [] if parts else None
    above: dict[Path, str | None] = {**parts} or {root: None}
    folders = [
        ClassFolder(entry, split) for place, split in above.items() for entry in _visible(place) if entry.is_dir()
    ]
    loose = [entry for place in {root: None, **above} for entry in _visible(place) if not entry.is_dir()]
    others: list[str] = []
    known: set[str] = set()
    for folder in folders:
        others += _add(listed, known, root, folder, kind)
    _check_classes(root, folders, loose, listed.labels, kind)
    _say_what_is_left_out(listed, root, folders, [*loose, *beside], others, kind)
    return listed


def split_folders(root: Path) -> tuple[dict[Path, str], list[Path]]:
    """{folder: split} of the folders that stand for splits, none where folders stand for classes; and those beside.

    They are splits where one is called train and holds folders, and others are splits too or it stands alone.
    """
    folders = [entry for entry in _visible(root) if entry.is_dir()]
    parts = {folder: SPLIT_OF[folder.name.lower()] for folder in folders if folder.name.lower() in SPLIT_OF}
    train = [folder for folder, split in parts.items() if split == "train"]
    has_classes = any(entry.is_dir() for folder in train for entry in _visible(folder))
    if not has_classes or (len(set(parts.values())) == 1 and len(parts) < len(folders)):
        return {}, []
    return parts, [folder for folder in folders if folder not in parts]


def _add(listed: Listed, known: set[str], root: Path, folder: ClassFolder, kind: FileKind) -> list[str]:
    """Adds the files of a class folder and of the folders in it; returns the names of other files.

    known: ids so far.
    """
    if not is_unicode(folder.place.name):
        raise HeftError(f"the class folder {shown_id(folder.place)} has a name that is not valid Unicode; rename it.")
    others = []
    for path in files_below(folder.place):
        place = path.relative_to(root)
        if reason := _unusable(path):
            listed.skipped.append((shown_id(place), reason))
        elif not kind.fits(path):
            others.append(place.as_posix())
        elif id_of(place) in known:
            listed.skipped.append((shown_id(place), "another has this name, but for how its accents are written"))
        else:
            known.add(id_of(place))
            listed.paths.append(path)
            listed.ids.append(id_of(place))
            listed.labels.append(folder.label)
            if listed.split is not None and folder.split is not None:
                listed.split.append(folder.split)
    return others


def _unusable(path: Path) -> str:
    """Why a file cannot be an example, whatever is in it; empty where it can."""
    if path.is_dir():
        return "a link leads back to it" if os.access(path, os.R_OK | os.X_OK) else "this account may not read it"
    if not is_unicode(path.name):
        return "its name is not valid Unicode"
    if not path.is_file():
        return "it is a link to nothing" if path.is_symlink() else "it is no file"
    return ""


def _check_classes(
    root: Path, folders: Sequence[ClassFolder], loose: Sequence[Path], labels: Sequence[str], kind: FileKind
) -> None:
    classes = set(labels)
    if len(classes) > 1:
        return
    expected = f"expected one folder for each class, as in {root}/cat/1{kind.suffix} and {root}/dog/2{kind.suffix}"
    if classes:
        (only,) = classes
        inner = next(folder.place for folder in folders if folder.label == only)
        deeper = sum(entry.is_dir() for entry in _visible(inner)) > 1
        hint = f"; if its folders are the classes, name {inner}" if deeper else ""
        raise HeftError(f"{root} holds {kind.several} of one class, {on_one_line(only)}; {expected}{hint}.")
    homeless = sum(kind.fits(path) for path in loose)
    found = f"has {homeless:,} of its {kind.several} in no class folder" if homeless else f"holds no {kind.one}"
    raise HeftError(f"{root} {found}; {expected}, or a CSV file with the columns {kind.columns}.")


def _say_what_is_left_out(
    listed: Listed,
    root: Path,
    folders: Sequence[ClassFolder],
    beside: Sequence[Path],
    others: list[str],
    kind: FileKind,
) -> None:
    """Adds notes on what is no example and no file that cannot be read."""
    homeless = [path.name for path in beside if not path.is_dir() and kind.fits(path)]
    others += [path.name for path in beside if not path.is_dir() and not kind.fits(path)]
    splits: Sequence[str | None] = listed.split or [None] * len(listed.labels)
    full = set(zip(listed.labels, splits, strict=True))
    empty = [shown_id(folder.place.relative_to(root)) for folder in folders if (folder.label, folder.split) not in full]
    ignored = [folder.name for folder in beside if folder.is_dir()]
    for names, one, several in (
        (empty, f"class folder holds no {kind.one}", f"class folders hold no {kind.one}"),
        (ignored, "folder stands beside the splits", "folders stand beside the splits"),
        (homeless, f"{kind.one} lies in no class folder", f"{kind.several} lie in no class folder"),
        (others, f"file is no {kind.one}", f"files are no {kind.several}"),
    ):
        if names:
            said = one if len(names) == 1 else several
            listed.notes.append(f"Left out: {len(names):,} {said} ({named(names)}).")


def _visible(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except PermissionError:
        raise HeftError(f"{folder} may not be read by this account.") from None

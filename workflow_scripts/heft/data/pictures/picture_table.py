"""Pictures that a CSV file names, with their labels."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from heft.data.columns import Columns, read_columns
from heft.data.pictures.listed import Listed, id_of, named
from heft.data.split_names import SPLIT_OF
from heft.data.tables.roles import NO, YES
from heft.errors import HeftError
from heft.phrases import on_one_line

NEEDED = ("path", "label")
MAY_BE = ("true_label", "split", "group")
TRUSTED = "trusted"
KNOWN = (*NEEDED, *MAY_BE, TRUSTED)


def list_table(file: Path) -> Listed:
    """The pictures of each line; a path that is not absolute begins at the folder of `file`.

    Raises HeftError naming file and line where a column is missing, a cell says nothing, a split is none, a picture
    has two labels, or none of the pictures is there.
    """
    columns = read_columns(file)
    absent = [name for name in NEEDED if name not in columns.texts]
    if absent:
        raise HeftError(
            f"{file} has the columns {', '.join(columns.texts)}; {' and '.join(absent)} "
            f"{'is' if len(absent) == 1 else 'are'} missing. It needs {' and '.join(NEEDED)}, and may have "
            f"{', '.join([*MAY_BE, TRUSTED])}."
        )
    listed = Listed(files={file.name: file})
    rows = _kept_rows(file, columns, listed)
    listed.labels = [columns.texts["label"][row].strip() for row in rows]
    listed.true_labels, split, listed.groups = (_cells(file, columns, name, rows) for name in MAY_BE)
    if split is not None:
        listed.split = [_split_of(file, columns, row) for row in rows]
    if TRUSTED in columns.texts:
        listed.trusted = [_is_trusted(file, columns, row) for row in rows]
    unread = [name for name in columns.texts if name not in KNOWN]
    if unread:
        listed.notes.append(f"{file.name} has columns that are not read: {named(unread)}.")
    if len(set(listed.labels) | set(listed.true_labels or ())) == 1:
        raise HeftError(f"{file} names pictures of one class, {on_one_line(listed.labels[0])}; two are needed.")
    return listed


def _kept_rows(file: Path, columns: Columns, listed: Listed) -> list[int]:
    """The rows of pictures that are there, each once; fills paths, ids and files, and what is missing or skipped."""
    rows: dict[str, int] = {}
    seen: dict[str, int] = {}
    for row, text in enumerate(columns.column("path")):
        _check_filled(file, columns, "path", row)
        path = _place(file.parent, text)
        name = id_of(path.relative_to(file.parent) if path.is_relative_to(file.parent) else path)
        if name in seen:
            _check_same(file, columns, seen[name], row)
            continue
        seen[name] = row
        if not path.is_file():
            listed.missing.append(path)
            listed.skipped.append((name, "there is no such file"))
        elif not columns.texts["label"][row].strip():
            listed.skipped.append((name, f"it has no label (line {columns.lines[row]})"))
        else:
            rows[name] = row
            listed.ids.append(name)
            listed.paths.append(path)
            listed.files[name] = path
    if not rows:
        name, reason = listed.skipped[0]
        raise HeftError(
            f"{file} names {len(seen):,} pictures, of which none can be read; the first is {on_one_line(name)}: "
            f"{reason}. Paths begin at {file.parent}."
        )
    return list(rows.values())


def _place(folder: Path, text: str) -> Path:
    """The file that a cell names, also where it was written on Windows, or accents are written in another way."""
    said = [text, text.strip(), PureWindowsPath(text.strip()).as_posix()]
    forms = [*said, *(unicodedata.normalize(form, said[-1]) for form in ("NFC", "NFD"))]
    found = next((folder / form for form in forms if (folder / form).is_file()), None)
    return found or folder / PurePosixPath(text.strip())


def _cells(file: Path, columns: Columns, name: str, rows: Sequence[int]) -> list[str] | None:
    """The texts of a column that may be missing."""
    if name not in columns.texts:
        return None
    for row in rows:
        _check_filled(file, columns, name, row)
    return [columns.texts[name][row].strip() for row in rows]


def _split_of(file: Path, columns: Columns, row: int) -> str:
    text = columns.texts["split"][row].strip()
    if text.lower() not in SPLIT_OF:
        raise HeftError(
            f'{file}, line {columns.lines[row]}: column split holds "{on_one_line(text)}"; allowed: train, validation, '
            "test."
        )
    return SPLIT_OF[text.lower()]


def _is_trusted(file: Path, columns: Columns, row: int) -> bool:
    """Whether a cell says that a person has checked the label; an empty one does not."""
    text = columns.texts[TRUSTED][row].strip()
    if text.lower() not in (*YES, *NO, ""):
        raise HeftError(
            f'{file}, line {columns.lines[row]}: column {TRUSTED} holds "{on_one_line(text)}"; allowed: '
            f"{', '.join([*YES, *NO])} and nothing."
        )
    return text.lower() in YES


def _check_filled(file: Path, columns: Columns, name: str, row: int) -> None:
    if not columns.texts[name][row].strip():
        raise HeftError(f"{file}, line {columns.lines[row]}: column {name} holds nothing.")


def _check_same(file: Path, columns: Columns, first: int, second: int) -> None:
    """Raises HeftError where two lines say different things of one picture."""
    for name in KNOWN[1:]:
        texts = columns.texts.get(name)
        if texts is not None and texts[first].strip() != texts[second].strip():
            raise HeftError(
                f"{file}, line {columns.lines[second]}: {on_one_line(columns.texts['path'][second])} has the {name} "
                f'"{on_one_line(texts[second])}", and on line {columns.lines[first]} "{on_one_line(texts[first])}"; a '
                "picture has one."
            )

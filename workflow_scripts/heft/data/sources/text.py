"""text: a person's own texts, as CSV, TSV, JSON lines or Parquet, one row an example, or as files in class folders."""

from pathlib import Path

from heft.data.sources.declare import RawData, source
from heft.data.tables.files import named_files, read_tables
from heft.data.tables.roles import Roles
from heft.data.text_folders import texts_of_folders
from heft.data.text_rows import texts_of_table
from heft.errors import HeftError


@source(origin="a file of your own", paths=["path", "validation_path", "test_path"], true_labels=None, modality="texts")
def text(
    data_dir: Path | None,
    *,
    path: str,
    text: str | int | None = None,
    label: str | int | None = None,
    validation_path: str | None = None,
    test_path: str | None = None,
    id: str | int | None = None,
    group: str | int | None = None,
    split: str | int | None = None,
    true_label: str | int | None = None,
    trusted: str | int | None = None,
    header: bool = True,
    quotes: bool | None = None,
    encoding: str | None = None,
    separator: str | None = None,
) -> RawData:
    """The texts as they are; an example's id is its content's hash and its line, or the path of its file.

    text, label, id, group, split, true_label, trusted: names of columns, or from 1 their numbers where the first line
    is an example (header: false). validation_path, test_path: files of splits of their own. quotes: whether a text that
    begins with a quote ends with one; by default it does. A row without a text or without a label is skipped.
    """
    if Path(path).is_dir():
        return texts_of_folders(Path(path), encoding)
    paths = {"train": path, "validation": validation_path, "test": test_path}
    files = {part: Path(file) for part, file in paths.items() if file}
    table = read_tables(
        list(files.values()), encoding=encoding, separator=separator, header=header, quotes=quotes is not False
    )
    others = [None if one is None else str(one) for one in (true_label, id, group, split, trusted)]
    roles = Roles("" if label is None else str(label), *others, target_option="label")
    raw = texts_of_table(table, None if text is None else str(text), roles, list(files), named_files(files))
    if quotes is None and table.separator == "\t":
        check_no_row_was_swallowed(raw)
    return raw


def check_no_row_was_swallowed(raw: RawData) -> None:
    """Raises HeftError where a text between tabs holds a tab and a line's end: a quote was opened and not closed."""
    for name, written in zip(raw.ids, raw.inputs, strict=True):
        if "\t" in written and "\n" in written:
            raise HeftError(
                f"the text of {name} goes over several lines and holds a tab, as where a quote is part of a text; set "
                "quotes: false if that is so, else quotes: true."
            )

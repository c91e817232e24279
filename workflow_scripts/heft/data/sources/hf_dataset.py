"""hf_dataset: a folder that `save_to_disk` of Hugging Face's datasets has written: texts, pictures or columns."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Le

from heft.data.csv_file import named_columns
from heft.data.labelled_rows import in_order, with_names_of_classes
from heft.data.modalities.images import Images
from heft.data.saved_dataset import SavedDataset, read_saved_dataset
from heft.data.saved_inputs import numbers_of_column, pictures_of_column
from heft.data.sources.declare import RawData, source
from heft.data.table_rows import rows_of_table
from heft.data.tables.inputs import ColumnOptions
from heft.data.tables.roles import Roles, check_columns
from heft.data.text_rows import LABEL_NAMES, TEXT_NAMES, found_column, holds_texts, texts_of_table, usual_column


@source(origin="a folder of your own", paths=["path"], true_labels=None, threads=4)
def hf_dataset(
    data_dir: Path | None,
    *,
    path: str,
    input: str | None = None,
    label: str | None = None,
    true_label: str | None = None,
    id: str | None = None,
    group: str | None = None,
    split: str | None = None,
    trusted: str | None = None,
    size: Annotated[int, Ge(8), Le(1024)] = 96,
    fit: Literal["crop", "squash", "pad"] = "crop",
    mean: float | Sequence[float] = (0.485, 0.456, 0.406),
    std: float | Sequence[float] = (0.229, 0.224, 0.225),
) -> RawData:
    """What is known of each row; an example's id is its content's hash, its split and its row.

    input: a column of texts, of pictures, or of lists of numbers. Where it is not given, it is the column of pictures,
    or of texts with a usual name, or all columns are a table. label, true_label, id, group, split, trusted: columns;
    the label is found where one column alone holds classes. size, fit, mean, std: of pictures, as of image_folder.
    """
    saved = read_saved_dataset(Path(path))
    roles = Roles(label or _label_of(saved), true_label, id, group, split, trusted, target_option="label")
    column = input or _input_of(saved, roles)
    check_columns(saved.table, roles, {"input": [column] if column else []})
    table = with_names_of_classes(saved.table, roles, saved.class_names)
    files = {Path(path).name: Path(path)}
    if column is None:
        raw = rows_of_table(table, roles, ColumnOptions(missing=("",)), saved.parts, files)
    elif column in saved.pictures:
        modality = Images(mean, std, pixels=True)
        raw = pictures_of_column(table, column, roles, saved.parts, files, modality, size, fit)
    elif holds_texts(table, column):
        raw = texts_of_table(table, column, roles, saved.parts, files)
    else:
        raw = numbers_of_column(table, column, roles, saved.parts, files)
    names = saved.class_names.get(roles.target)
    raw = raw if names is None else in_order(raw, names)
    return replace(raw, notes=[*raw.notes, *_said_of_splits(saved)])


def _label_of(saved: SavedDataset) -> str:
    """The only column of classes, or one of a usual name."""
    classes = list(saved.class_names)
    return classes[0] if len(classes) == 1 else usual_column(saved.table, LABEL_NAMES, "label")


def _input_of(saved: SavedDataset, roles: Roles) -> str | None:
    """The only column of pictures, or one of a usual name for texts; None where columns are a table."""
    if len(saved.pictures) == 1:
        return saved.pictures[0]
    found = found_column(saved.table, TEXT_NAMES)
    return None if found in roles.named.values() else found


def _said_of_splits(saved: SavedDataset) -> list[str]:
    if not saved.left_out:
        return []
    named = named_columns(saved.left_out)
    return [f"Splits that are none of train, validation and test are left out: {named}."]

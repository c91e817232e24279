"""image_folder: a person's own pictures, in class folders or named by a CSV file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Le

from heft.data.columns import read_columns
from heft.data.modalities.images import Images
from heft.data.pictures.class_folders import list_class_folders
from heft.data.pictures.listed import Listed, class_order, id_of, indices, named
from heft.data.pictures.picture_files import PictureFiles
from heft.data.pictures.picture_table import list_table
from heft.data.sources.declare import RawData, source
from heft.errors import HeftError


@source(origin="a person's own pictures", true_labels=None, modality="images", paths=("path", "true_labels"), threads=4)
def image_folder(
    data_dir: Path | None,
    *,
    path: str,
    size: Annotated[int, Ge(8), Le(1024)] = 96,
    fit: Literal["crop", "squash", "pad"] = "crop",
    mean: float | Sequence[float] = (0.485, 0.456, 0.406),
    std: float | Sequence[float] = (0.229, 0.224, 0.225),
    true_labels: str | None = None,
) -> RawData:
    """Pictures as red, green and blue of `size` x `size` pixels; an example's id is its path below the folder.

    path: a folder of class folders, which may lie below train, validation and test; or a CSV file with the columns
    path and label, and if known true_label, split, group and trusted. fit: cut, squeeze or pad what is no square. mean,
    std: of the normalisation, by default those of ImageNet, which pretrained networks expect. true_labels: a CSV file
    with the columns path and true_label.
    """
    place = Path(path)
    listed = list_class_folders(place) if place.is_dir() else list_table(place)
    if true_labels is not None:
        add_true_labels(listed, Path(true_labels))
    names = class_order([*listed.labels, *(listed.true_labels or ())])
    return RawData(
        inputs=PictureFiles([str(path) for path in listed.paths], size, fit),
        labels=indices(listed.labels, names),
        ids=listed.ids,
        class_names=names,
        files=listed.files,
        modality=Images(mean, std, pixels=True),
        true_labels=None if listed.true_labels is None else indices(listed.true_labels, names),
        groups=listed.groups,
        trusted=listed.trusted,
        split=listed.split,
        missing=listed.missing,
        skipped=listed.skipped,
        notes=listed.notes,
    )


def add_true_labels(listed: Listed, file: Path) -> None:
    """The true labels of a CSV file; raises HeftError where the pictures have some, or one of them is not named."""
    if listed.true_labels is not None:
        raise HeftError(f"true_labels names {file}, but the column true_label says the same; leave one of them out.")
    columns = read_columns(file)
    paths, labels = columns.column("path"), columns.column("true_label")
    known = {id_of(Path(text.strip())): label.strip() for text, label in zip(paths, labels, strict=True)}
    unknown = [name for name in listed.ids if not known.get(name)]
    if unknown:
        raise HeftError(
            f"{file} has no true label for {len(unknown):,} of {len(listed.ids):,} pictures: {named(unknown)}; true "
            "labels are known of all or of none."
        )
    listed.true_labels = [known[name] for name in listed.ids]
    listed.files[file.name] = file

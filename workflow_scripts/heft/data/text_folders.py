"""A data set of texts from .txt files in class folders."""

from pathlib import Path

from heft.data.modalities.texts import Texts
from heft.data.pictures.class_folders import FileKind, list_class_folders
from heft.data.pictures.listed import class_order, indices
from heft.data.raw_data import RawData
from heft.data.row_stream import Unreadable
from heft.data.text_file import check_encoding
from heft.errors import HeftError

TEXT_FILES = FileKind("text", "texts", ".txt", "text and label", lambda path: path.suffix.lower() == ".txt")


def texts_of_folders(root: Path, encoding: str | None = None) -> RawData:
    """The text of each file, with the name of its class folder; its id is its path below `root`.

    A file that is blank or not of the encoding is skipped. Raises HeftError where no class, or one alone, is left.
    """
    listed = list_class_folders(root, TEXT_FILES)
    if encoding is not None:
        check_encoding(encoding)
    texts = [_text_of(path, encoding or "utf-8-sig") for path in listed.paths]
    kept = [row for row, text in enumerate(texts) if isinstance(text, str)]
    skipped = [(listed.ids[row], text.reason) for row, text in enumerate(texts) if isinstance(text, Unreadable)]
    labels = [listed.labels[row] for row in kept]
    names = class_order(labels)
    if len(names) < 2:
        raise HeftError(f"{root} holds texts of {' and '.join(names) or 'no class'} alone; two classes are needed.")
    return RawData(
        inputs=[texts[row] for row in kept],
        labels=indices(labels, names),
        ids=[listed.ids[row] for row in kept],
        class_names=names,
        files=listed.files,
        modality=Texts(),
        split=None if listed.split is None else [listed.split[row] for row in kept],
        skipped=[*listed.skipped, *skipped],
        notes=listed.notes,
    )


def _text_of(path: Path, encoding: str) -> str | Unreadable:
    try:
        text = path.read_bytes().decode(encoding)
    except PermissionError:
        return Unreadable("this account may not read it")
    except UnicodeDecodeError as error:
        return Unreadable(f"byte {error.start} is not {encoding.removesuffix('-sig').upper()}")
    return text if text.strip() else Unreadable("it has no text")

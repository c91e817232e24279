"""Reads one picture of any usual format as red, green and blue of 0 to 255, upright, in one size."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from heft.data.pictures.colours import rgb_of
from heft.data.pictures.formats import FORMATS, NOT_READ
from heft.data.row_stream import Unreadable
from heft.faults import sentence_of

if TYPE_CHECKING:
    from PIL import Image

Fit = Literal["crop", "squash", "pad"]
MOST_PIXELS = 89_478_485  # from which on Pillow takes a picture for an attack on the memory
ORIENTATION = 0x0112  # of EXIF: 1 to 8
WITH_FRAMES = ("AVIF", "GIF", "PNG", "TIFF", "WEBP")  # what an MPO of a camera holds beside is no second picture


@dataclass(frozen=True)
class Picture:
    """pixels: uint8 [3, size, size]. has_more_frames: whether others follow the first, which alone is read."""

    pixels: np.ndarray
    has_more_frames: bool = False


def decode(picture: Path | bytes, size: int, fit: Fit) -> Picture | Unreadable:
    """The picture of a file, or of its content, as a square of `size` pixels, or why it cannot be read.

    A fault of the machine is raised.

    fit: `crop` cuts the longer side on both ends, `squash` shrinks it more than the other, `pad` adds black bars.
    The rotation that EXIF asks for is made; what is transparent becomes white; profiles of colours are not heeded.
    A large JPEG is decoded at an eighth, a quarter or half its size, yet at least at twice `size`.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(BytesIO(picture) if isinstance(picture, bytes) else picture, formats=FORMATS) as image:
            more = image.format in WITH_FRAMES and bool(getattr(image, "is_animated", False))
            image.draft(None, (2 * size, 2 * size))  # of a JPEG; nothing happens to others
            image.load()
            square = _square(rgb_of(_upright(image)), size, fit)
            return Picture(np.ascontiguousarray(np.moveaxis(np.asarray(square), -1, 0)), more)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        found = re.search(r"\((\d+) pixels", str(error))
        stated = f"{int(found[1]):,}" if found else "too many"
        return Unreadable(f"it says that it has {stated} pixels (at most {MOST_PIXELS:,} are decoded)")
    except (PermissionError, FileNotFoundError, IsADirectoryError) as error:
        return Unreadable(_without_access(picture, error))
    except UnidentifiedImageError:
        return Unreadable(_unidentified(picture))
    except Exception as error:  # whatever decoders raise where bytes are broken
        if isinstance(error, MemoryError) or sentence_of(error) is not None:
            raise
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return Unreadable("the file is cut" if "truncated" in said.lower() else f"it cannot be decoded ({said})")


@contextmanager
def refusing_bombs() -> Iterator[None]:
    """Within it, a picture of more than `MOST_PIXELS` is refused by its header, where Pillow alone would warn."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _upright(image: "Image.Image") -> "Image.Image":
    """The picture turned and mirrored as its EXIF says."""
    from PIL.Image import Transpose

    how = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(image.getexif().get(ORIENTATION, 1))
    return image if how is None else image.transpose(how)


def _square(image: "Image.Image", size: int, fit: Fit) -> "Image.Image":
    from PIL import Image
    from PIL.Image import Resampling

    width, height = image.size
    if fit == "pad":
        scale = size / max(width, height)
        within = (max(1, round(width * scale)), max(1, round(height * scale)))
        padded = Image.new("RGB", (size, size))
        inner = image.resize(within, Resampling.BICUBIC, reducing_gap=REDUCING_GAP)
        padded.paste(inner, ((size - within[0]) // 2, (size - within[1]) // 2))
        return padded
    side = min(width, height)
    left, top = ((width - side) / 2, (height - side) / 2) if fit == "crop" else (0, 0)
    box = (left, top, left + side, top + side) if fit == "crop" else (0, 0, width, height)
    return image.resize((size, size), Resampling.BICUBIC, box, reducing_gap=REDUCING_GAP)


def _unidentified(picture: Path | bytes) -> str:
    if not (len(picture) if isinstance(picture, bytes) else picture.stat().st_size):
        return "the file is empty"
    end = "" if isinstance(picture, bytes) else picture.suffix.lower()
    if end in NOT_READ:
        return f"{NOT_READ[end]} is not read (convert it to JPEG or PNG)"
    return "it is not a picture in a format that is read"


def _without_access(picture: Path | bytes, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "this account may not read it"
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    is_link = isinstance(picture, Path) and picture.is_symlink()
    return "it is a link to nothing" if is_link else "there is no such file"


REDUCING_GAP = 3.0  # pictures are halved without filtering down to this multiple of the size

"""A person's text file, compressed or not: which encoding its bytes are in, and its text."""

import bz2
import codecs
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any

from heft.errors import HeftError

COMPRESSED: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# Tried where a file is not UTF-8; each is the usual one of some part of the world.
OFFERED = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "shift_jis", "gb18030", "big5", "euc_kr")
LONGEST_SHOWN = 20  # characters around what is not UTF-8
MOST_OFFERED = 4


def decoder_of(path: Path, encoding: str | None = None) -> str:
    """The encoding that was given, or that the file begins with a mark of, or UTF-8.

    Raises HeftError where it is unknown, or the file holds zero bytes, as UTF-16 does and other text does not.
    """
    if encoding is not None:
        check_encoding(encoding)
        return encoding
    start = start_of(path, 4096)
    marked = next((name for mark, name in BYTE_ORDER_MARKS.items() if start.startswith(mark)), None)
    if marked is None and b"\0" in start:
        raise HeftError(
            f"{path} holds zero bytes, so that it is no UTF-8 text; state its encoding, as in encoding: utf-16-le, or "
            "save it as UTF-8."
        )
    return marked or "utf-8"


def check_encoding(name: str) -> None:
    """Raises HeftError where there is no encoding of that name."""
    try:
        codecs.lookup(name)
    except LookupError:
        raise HeftError(f'encoding is "{name}", which is unknown; {", ".join(OFFERED[:2])} are some.') from None


def start_of(path: Path, n_bytes: int) -> bytes:
    """The first bytes, once decompressed."""
    with _opened(path) as file:
        return file.read(n_bytes)


@contextmanager
def opened_text(path: Path, encoding: str) -> Iterator[TextIOWrapper]:
    """The open file; a byte that is not of the encoding is a HeftError that says which encodings would do."""
    with _opened(path) as file:
        try:
            yield TextIOWrapper(file, encoding, newline="")
        except UnicodeDecodeError as error:
            raise HeftError(_sentence(path, encoding)) from error


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    suffix = path.suffix.lower()
    try:
        with COMPRESSED.get(suffix, open)(path, "rb") as file:
            yield file
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise HeftError(f"{path} cannot be decompressed ({error}).") from error
    except OSError as error:
        if error.errno is not None or suffix not in COMPRESSED:
            raise
        raise HeftError(f"{path} cannot be decompressed ({error}).") from error


def _sentence(path: Path, encoding: str) -> str:
    line, shown = _first_undecodable(path, encoding)
    readings: dict[str, str] = {}
    for name in OFFERED:
        text = _decoded(shown, name)
        if name != encoding and text and text not in readings and _is_readable(path, name):
            readings[text] = name
    each = [f'{name} reads "{text}"' for text, name in readings.items()][:MOST_OFFERED]
    would_do = f"state its encoding ({', '.join(each)}), or " if each else ""
    named = "UTF-8" if encoding.startswith("utf-8") else encoding
    return f"{path} is not {named}: line {line} holds {str(shown)[1:]}; {would_do}save it as UTF-8."


def _first_undecodable(path: Path, encoding: str) -> tuple[int, bytes]:
    """The first line that cannot be decoded, and the bytes around the place, up to separators."""
    with _opened(path) as file:
        for number, content in enumerate(file, start=1):
            try:
                content.decode(encoding)
            except UnicodeDecodeError as error:
                start = max(content.rfind(mark, 0, error.start) for mark in (b",", b";", b"\t", b'"')) + 1
                start = max(start, error.start - LONGEST_SHOWN)
                after = (content.find(mark, error.start) for mark in (b",", b";", b"\t", b'"', b"\r", b"\n"))
                end = min([len(content), error.start + LONGEST_SHOWN, *(place for place in after if place >= 0)])
                return number, content[start:end].strip()
    return 1, start_of(path, LONGEST_SHOWN)


def _decoded(content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() else ""


def _is_readable(path: Path, encoding: str) -> bool:
    """Whether the whole file is of that encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with _opened(path) as file:
        try:
            while content := file.read(2**20):
                decoder.decode(content)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True

"""texts: sentences, messages or documents of any length, as they were written."""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from heft.data.fields.arrays import shown
from heft.data.fields.names import LISTS
from heft.data.modalities.declare import Modality, Shown, modality
from heft.data.near.texts import similar_texts
from heft.errors import HeftError

LONGEST_SHOWN = 300  # characters


@modality(axes=[], from_axes=False)
@dataclass(frozen=True)
class Texts(Modality):
    """A text is stored as it is; an encoder makes numbers of it, since no model takes texts."""

    shows_alone: ClassVar[bool] = True

    def check(self, inputs: Any) -> list[str]:
        """Texts of valid Unicode; one may be empty."""
        if not isinstance(inputs, LISTS) or getattr(inputs, "ndim", 1) != 1:
            raise HeftError(f"inputs are {shown(inputs)} ({type(inputs).__name__}); expected a list of texts.")
        texts = []
        for row, text in enumerate(inputs):
            if not isinstance(text, str):
                raise HeftError(f"row {row} is {shown(text)} ({type(text).__name__}); expected text.")
            if is_broken(text):
                raise HeftError(f"row {row} is {shown(text)}, which is not valid Unicode (a lone surrogate).")
            texts.append(str(text))
        return texts

    def facts(self, input_shape: Sequence[int]) -> dict[str, Any]:
        """Nothing is to be known of texts."""
        return {}

    def hash(self, example: str) -> str:
        """SHA-256 of the text in UTF-8."""
        return hashlib.sha256(example.encode()).hexdigest()

    def batch(self, rows: Any) -> Any:
        """Raises HeftError: a model is called with numbers."""
        raise HeftError("inputs are texts, which no model takes; name an encoder, such as encoder: hashed_words.")

    def near_duplicates(self, inputs: Sequence[str], rows: np.ndarray) -> np.ndarray:
        """Pairs of places in `rows` whose texts say the same; see `heft.data.near.texts`."""
        return similar_texts([inputs[row] for row in rows.tolist()])

    def show(self, inputs: Sequence[str], rows: Sequence[int]) -> list[Shown]:
        """Each text, on one line, cut where it is long."""
        return [Shown(text=excerpt(inputs[row])) for row in rows]


def is_broken(text: str) -> bool:
    """Whether a text holds half of a character of UTF-16, which no file can hold."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def excerpt(text: str) -> str:
    """The text on one line, at most `LONGEST_SHOWN` characters, without control characters."""
    begun = text[: 4 * LONGEST_SHOWN]  # enough, even where most of it is blank
    words = "".join(" " if character.isspace() else character for character in begun).split()
    seen = "".join(character for character in " ".join(words) if unicodedata.category(character) != "Cc")
    is_whole = len(begun) == len(text) and len(seen) <= LONGEST_SHOWN
    return seen if is_whole else f"{seen[: LONGEST_SHOWN - 1].rstrip()}…"

"""hashed_words: the words of a text, counted in a fixed number of columns; it needs no weights.

A hash of each word says its column and its sign, so that two words in one column do not add up on average (Weinberger
and others 2009, arXiv 0902.2206). Each text is brought to length 1.
"""

from collections.abc import Sequence
from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor

from heft.data.encoders.declare import Encoder, encoder


@encoder(modality="texts", origin="scikit-learn's HashingVectorizer", licence="none needed")
def hashed_words(
    *, width: Annotated[int, Ge(2), Le(65_536)] = 4096, words: Annotated[int, Ge(1), Le(5)] = 1
) -> "HashedWords":
    """width: number of columns. words: how many in a row are also counted as one, at most."""
    return HashedWords(width, words)


class HashedWords(Encoder):
    """Texts as rows of counts with signs."""

    batch_size = 256

    def __init__(self, width: int, words: int) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer

        self.width, self.files = width, {}
        self.vectorizer = HashingVectorizer(n_features=width, ngram_range=(1, words), dtype="float32")

    def encode(self, batch: Sequence[str]) -> Tensor:
        return torch.from_numpy(self.vectorizer.transform(batch).toarray())

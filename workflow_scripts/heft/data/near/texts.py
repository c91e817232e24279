"""Texts that say the same, but for case, spaces, punctuation and a word in about seventeen."""

import re
import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from heft.data.near.components import NO_PAIRS

SHARED = 0.8  # of the pairs of neighbouring words that either text has (Jaccard)
BANDS, HASHES_A_BAND = 16, 6  # texts that share 0.8 meet in a band with probability 0.99, those that share 0.4 in 0.06
N_NEIGHBOURS = 8  # of a text in a band
PRIME = (1 << 61) - 1
# Scripts without spaces between words: each character counts as one.
WORD = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|\w+")


def similar_texts(texts: Sequence[str]) -> np.ndarray:
    """Pairs of places in `texts` [m, 2] that are near-duplicates: MinHash finds them, and all words are compared.

    Two texts of the same words are, and two that share 0.8 of their pairs of neighbouring words. A text without a word
    has none. Source: Broder, "On the resemblance and containment of documents", 1997.
    """
    shingles = [shingles_of(text) for text in texts]
    places = np.array([place for place, hashes in enumerate(shingles) if len(hashes)], np.int64)
    if len(places) < 2:
        return NO_PAIRS
    smallest = _smallest_hashes([shingles[place] for place in places])
    candidates: set[tuple[int, int]] = set()
    for band in range(BANDS):
        alike: dict[bytes, list[int]] = defaultdict(list)
        for place, key in zip(places.tolist(), smallest[band].view(f"V{8 * HASHES_A_BAND}").ravel(), strict=True):
            alike[key.tobytes()].append(place)
        for met in alike.values():
            for nth, place in enumerate(met):
                candidates.update((place, other) for other in met[nth + 1 : nth + 1 + N_NEIGHBOURS])
    pairs = [pair for pair in sorted(candidates) if _shared(shingles[pair[0]], shingles[pair[1]]) >= SHARED]
    return np.array(pairs, np.int64).reshape(-1, 2)


def shingles_of(text: str) -> np.ndarray:
    """Hashes of the pairs of neighbouring words, each once, int64 ascending; the text's ends count as words."""
    words = WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    if not words:
        return np.empty(0, np.int64)
    hashes = np.fromiter((zlib.crc32(word.encode("utf-8", "surrogatepass")) for word in words), np.int64, len(words))
    ended = np.concatenate([[1], hashes + 2, [1]])
    return np.unique((ended[:-1] * 0x9E3779B1 + ended[1:]) & PRIME)


def _smallest_hashes(shingles: Iterable[np.ndarray]) -> np.ndarray:
    """The smallest of each of several hash functions over each text's shingles, int64 [bands, texts, hashes a band]."""
    listed = list(shingles)
    starts = np.cumsum([0, *(len(hashes) for hashes in listed[:-1])])
    values = np.concatenate(listed).astype(np.uint64)
    generator = np.random.default_rng(0)
    smallest = np.empty((BANDS, len(listed), HASHES_A_BAND), np.int64)
    for band in range(BANDS):
        for nth in range(HASHES_A_BAND):
            factor, offset = generator.integers(1, 1 << 63, size=2, dtype=np.uint64) | np.uint64(1)
            mixed = values * factor + offset  # modulo 2^64
            mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
            smallest[band, :, nth] = np.minimum.reduceat(mixed >> np.uint64(2), starts).astype(np.int64)
    return smallest


def _shared(first: np.ndarray, second: np.ndarray) -> float:
    both = len(np.intersect1d(first, second, assume_unique=True))
    return both / (len(first) + len(second) - both)

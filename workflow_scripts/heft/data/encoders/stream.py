"""Turns a stream of raw examples into features: those that are known from the cache, the others by the encoder.

Memory holds a few chunks, whatever the number of examples. The encoder is called with batches of one size, the last of
which are filled up, and each of several threads works on a batch of its own. So features have the same bits whatever
was in the cache, and whatever the number of threads.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from heft.data.encoders.cache import FeatureCache
from heft.data.encoders.declare import Encoder
from heft.data.encoders.progress import Progress
from heft.errors import HeftError

Raw = Tensor | Sequence[str]
# Euclidean length of an example's features. The curvature of a head's loss goes with its square; at this one the
# default training (SGD, learning rate 0.1) of `logistic` and `mlp` neither stalls nor oscillates: benchmarks/README.md.
LENGTH = 6.0


def features_of(
    chunks: Iterable[Raw],
    encoder: Encoder,
    cache: FeatureCache,
    progress: Progress | None = None,
    *,
    threads: int = 1,
) -> Iterator[np.ndarray]:
    """Float32 [k, width] for each chunk of k raw examples, in order; each example is brought to one length by itself.

    chunks: some hundreds of examples each; a tensor whose first axis is k, or k texts. Raises HeftError where the
    encoder returns something else than finite features of its width.
    """
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for raw in chunks:
            keys = [content_key(row) for row in raw]
            known = cache.get(keys)
            missing = {key: row for row, key in [*enumerate(keys)][::-1] if key not in known}
            new = _encoded(encoder, raw, missing, pool)
            if new:
                cache.put(new)
            yield rescaled(np.stack([(known | new)[key] for key in keys]))
            if progress:
                progress.add(len(keys), len(new))


def content_key(example: Tensor | str) -> str:
    """SHA-256 of what the encoder sees of an example."""
    if isinstance(example, str):
        return hashlib.sha256(example.encode()).hexdigest()
    array = example.contiguous().numpy()
    return hashlib.sha256(f"{array.dtype} {array.shape} ".encode() + array.tobytes()).hexdigest()


def rescaled(features: np.ndarray) -> np.ndarray:
    """Each row brought to `LENGTH`, which needs no other row; one of zeros stays."""
    length = np.sqrt(np.sum(np.square(features, dtype=np.float64), axis=1, keepdims=True))
    return (features * np.divide(LENGTH, length, out=np.zeros_like(length), where=length > 0)).astype(np.float32)


def _encoded(encoder: Encoder, raw: Raw, missing: dict[str, int], pool: ThreadPoolExecutor) -> dict[str, np.ndarray]:
    """Features by content key of the examples that are missing, {content key: row of `raw`}."""
    keys, size = sorted(missing, key=missing.__getitem__), encoder.batch_size
    groups = [keys[first : first + size] for first in range(0, len(keys), size)]
    batches = pool.map(lambda group: _batch(encoder, raw, [missing[key] for key in group]), groups)
    return {
        key: row
        for group, features in zip(groups, batches, strict=True)
        for key, row in zip(group, features, strict=True)
    }


def _batch(encoder: Encoder, raw: Raw, rows: list[int]) -> np.ndarray:
    """Features of some rows, in a batch that the first of them fills up."""
    filled = [*rows, *rows[:1] * (encoder.batch_size - len(rows))]
    given = raw[filled] if isinstance(raw, Tensor) else [raw[row] for row in filled]
    features = encoder.encode(given)
    if features.dtype != torch.float32 or tuple(features.shape) != (len(filled), encoder.width):
        raise HeftError(
            f"The encoder returned {features.dtype} of shape {list(features.shape)}; expected torch.float32 of shape "
            f"{[len(filled), encoder.width]}."
        )
    if not torch.isfinite(features[: len(rows)]).all():
        raise HeftError("The encoder returned a feature that is not finite; its weights or its preparation is wrong.")
    return features[: len(rows)].numpy()

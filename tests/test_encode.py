"""A stream of raw examples becomes features: in order, each content once, with the same bits however it is cut."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from encoder_cases import Counted, chunks, pictures
from torch import Tensor

from heft.data.encoders.cache import FeatureCache
from heft.data.encoders.declare import Encoder
from heft.data.encoders.efficientnet_lite0 import efficientnet_lite0
from heft.data.encoders.progress import Progress
from heft.data.encoders.stream import LENGTH, features_of
from heft.errors import HeftError


def encoded(raw: Tensor, encoder: Encoder, folder: Path, size: int = 10, threads: int = 1) -> tuple[np.ndarray, int]:
    cache, progress = FeatureCache(folder, "a", encoder.width), Progress(len(raw), print, clock=lambda: 0.0)
    features = np.concatenate(list(features_of(chunks(raw, size), encoder, cache, progress, threads=threads)))
    return features, int(progress.summary().split(", ")[1].split()[0])


def test_features_stand_in_the_order_of_the_examples_and_each_content_is_computed_once(tmp_path: Path) -> None:
    raw = pictures(23, 8)[[*range(23), 3, 3, 22]]
    encoder = Counted()
    features, computed = encoded(raw, encoder, tmp_path)
    plain = raw.flatten(1).double() @ encoder.map.double()
    expected = LENGTH * plain / plain.norm(dim=1, keepdim=True)
    assert np.allclose(features, expected, atol=1e-5)
    assert features.dtype == np.float32
    assert computed == 23
    assert set(encoder.sizes) == {4}


def test_only_what_is_missing_is_computed(tmp_path: Path) -> None:
    raw = pictures(20, 8)
    first, _ = encoded(raw, Counted(), tmp_path)
    encoder = Counted()
    again, computed = encoded(raw, encoder, tmp_path)
    assert np.array_equal(again, first)
    assert (computed, encoder.sizes) == (0, [])
    changed = raw.clone()
    changed[7] = 255 - changed[7]
    with_change, computed = encoded(changed.flip(0), encoder, tmp_path)
    assert computed == 1
    same = np.arange(20) != 7
    assert np.array_equal(with_change[::-1][same], first[same])
    assert not np.array_equal(with_change[::-1][7], first[7])


def test_features_have_the_same_bits_whatever_was_known_and_however_many_threads(tmp_path: Path) -> None:
    encoder, raw = efficientnet_lite0(size=32), pictures(40)
    whole, _ = encoded(raw, encoder, tmp_path / "whole", size=40)
    threads, _ = encoded(raw, encoder, tmp_path / "threads", size=40, threads=3)
    encoded(raw[5::7], encoder, tmp_path / "parts", size=3)
    parts, computed = encoded(raw.flip(0), encoder, tmp_path / "parts", size=11)
    assert computed == 40 - len(raw[5::7])
    assert np.array_equal(threads, whole)
    assert np.array_equal(parts[::-1], whole)


def test_what_was_computed_before_an_interruption_is_kept(tmp_path: Path) -> None:
    def interrupted() -> Iterator[Tensor]:
        yield from chunks(raw[:10], 5)
        raise KeyboardInterrupt

    raw = pictures(20, 8)
    with pytest.raises(KeyboardInterrupt):
        list(features_of(interrupted(), Counted(), FeatureCache(tmp_path, "a", 3)))
    assert encoded(raw, Counted(), tmp_path)[1] == 10


def test_pictures_of_the_same_bytes_and_another_shape_are_not_taken_for_each_other(tmp_path: Path) -> None:
    cache, encoder = FeatureCache(tmp_path, "a", 3), Counted()
    raw = pictures(1, 8)
    list(features_of([raw, raw.reshape(1, 3, 4, 16)], encoder, cache))
    assert encoder.sizes == [4, 4]


class Texts(Encoder):
    width, files, batch_size = 1, {}, 2

    def encode(self, batch: list[str]) -> Tensor:
        return torch.tensor([[float(len(text))] for text in batch])


def test_texts_are_encoded_too_and_zeros_stay(tmp_path: Path) -> None:
    (features,) = features_of([["a", "", "abc"]], Texts(), FeatureCache(tmp_path, "a", 1))
    assert features.tolist() == [[np.float32(LENGTH)], [0], [np.float32(LENGTH)]]


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        (torch.zeros(4, 2), r"returned torch.float32 of shape \[4, 2\]; expected torch.float32 of shape \[4, 3\]"),
        (torch.zeros(4, 3).double(), "returned torch.float64 of shape"),
        (torch.full((4, 3), torch.nan), "a feature that is not finite"),
    ],
)
def test_what_is_no_feature_is_one_sentence_and_is_not_kept(returned: Tensor, sentence: str, tmp_path: Path) -> None:
    wrong = Counted()
    wrong.encode = lambda batch: returned  # type: ignore[method-assign]
    raw = pictures(4, 8)
    with pytest.raises(HeftError, match=sentence):
        encoded(raw, wrong, tmp_path)
    assert encoded(raw, Counted(), tmp_path)[1] == 4


def test_progress_is_told_every_five_seconds_with_the_time_that_is_left() -> None:
    now, told = [100.0], []
    progress = Progress(1000, told.append, clock=lambda: now[0])
    for done, worked, seconds in ((100, 0, 4.0), (100, 50, 2.0), (100, 100, 4.0), (100, 100, 2.0)):
        now[0] += seconds
        progress.add(done, worked)
    # 50 in 6 s: 800 take 96 s at most. Then 250 in 12 s.
    assert told == [
        "200 of 1,000 examples, 8 a second, 2 min left",
        "400 of 1,000 examples, 21 a second, 29 s left",
    ]
    assert progress.summary() == "1,000 examples, 250 of them encoded anew, in 12 s"

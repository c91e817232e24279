"""Makes the folders beside this file: `pip install datasets==5.2.0 pillow`, then `python tests/saved_datasets/make.py`.

They are what `save_to_disk` of Hugging Face's datasets 5.2.0 writes, a few rows each.
"""

import shutil
from pathlib import Path

import datasets
import numpy as np
from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value
from PIL import Image

HERE = Path(__file__).parent


def save(made: Dataset | DatasetDict, name: str, **options: int) -> None:
    shutil.rmtree(HERE / name, ignore_errors=True)
    made.save_to_disk(HERE / name, **options)


def pictures(n: int) -> Dataset:
    """Pictures of one colour each, whose label follows from it; the last row has no label, and the fifth no picture."""
    colours = [(200, 10 * row, 0) if row % 2 else (0, 10 * row, 200) for row in range(n)]
    images = [Image.fromarray(np.full((8, 8, 3), colour, np.uint8)) for colour in colours]
    columns = {
        "image": [image if row != 4 else None for row, image in enumerate(images)],
        "label": [*(row % 2 for row in range(n - 1)), -1],
    }
    kinds = Features({"image": datasets.Image(), "label": ClassLabel(names=["blue", "Red"])})
    return Dataset.from_dict(columns, features=kinds)


def texts() -> Dataset:
    columns = {
        "sentence": ["good", "bad", None, "fine", "so so"],
        "label": [1, 0, 1, None, 0],
        "was": [1, 1, 1, 1, 0],
        "idx": [5, 6, 7, 8, 9],
    }
    of_classes = ClassLabel(names=["neg", "Pos"])
    kinds = Features({"sentence": Value("string"), "label": of_classes, "was": of_classes, "idx": Value("int32")})
    return Dataset.from_dict(columns, features=kinds)


def vectors() -> Dataset:
    columns = {
        "embedding": [[0.5, 1.0], [2.0, 3.0], [1.0, 2.0]],
        "tags": [["a", "b"], ["c"], []],
        "age": [30.5, 20.0, 25.0],
        "job": ["cook", "cook", "nurse"],
        "target": ["u", "v", "u"],
    }
    kinds = {"embedding": List(Value("float32"), length=2), "tags": List(Value("string")), "age": Value("float64")}
    return Dataset.from_dict(columns, features=Features({**kinds, "job": Value("string"), "target": Value("string")}))


save(DatasetDict({"train": pictures(6), "validation": pictures(3), "extra": pictures(2)}), "pictures")
save(texts(), "texts")
save(vectors(), "vectors", num_shards=2)

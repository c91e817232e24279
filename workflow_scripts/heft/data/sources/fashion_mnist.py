"""fashion_mnist: 70,000 pictures of clothes, 28 x 28, of which the official 10,000 alone are tested on."""

import gzip
import hashlib
from pathlib import Path

import numpy as np

from heft.data.modalities.images import Images
from heft.data.sources.declare import RawData, source
from heft.errors import HeftError

# Mean and standard deviation of the pixels of the 60,000 training pictures.
MEAN, STD = 0.2860, 0.3530
CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # of the package dataset-fashion-mnist
LARGEST = 16 + 60_000 * 28 * 28  # bytes
DOWNLOADS = Path("~/.cache/heft")  # where no data_dir is set


@source(
    origin="Debian package dataset-fashion-mnist, or the download of torchvision; Zalando Research",
    licence="MIT",
    # Of the content: the packages compress it differently.
    sha256={
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
    size={"n": 70_000, "input_shape": [1, 28, 28], "n_classes": 10},
    near_duplicates=False,  # 1,610 pictures have some; everybody trains and tests with them
)
def fashion_mnist(data_dir: Path | None) -> RawData:
    """Training pictures, then test pictures, each with its number within its part as id."""
    files = find_files(data_dir)
    parts = {"train": "train", "test": "t10k"}
    pixels = [read_idx(files[f"{part}-images-idx3-ubyte"]) for part in parts.values()]
    labels = [read_idx(files[f"{part}-labels-idx1-ubyte"]) for part in parts.values()]
    sizes = [len(part) for part in labels]
    inputs = np.concatenate(pixels)[:, None].astype(np.float32)
    inputs /= 255
    inputs -= MEAN
    inputs /= STD
    return RawData(
        inputs=inputs,
        labels=np.concatenate(labels).astype(np.int64),
        ids=[f"fashion_mnist-{name}-{row:05d}" for name, n in zip(parts, sizes, strict=True) for row in range(n)],
        class_names=CLASSES,
        files=files,
        modality=Images(MEAN, STD),
        split=np.repeat(["train", "test"], sizes),
    )


def find_files(data_dir: Path | None) -> dict[str, Path]:
    """The four files by declared name, all from the first folder that has them; downloads them where none has.

    Raises HeftError that names the folders, and why the download failed.
    """
    beside = [data_dir / "fashion_mnist", data_dir / "FashionMNIST/raw", data_dir] if data_dir else []
    downloads = data_dir or DOWNLOADS.expanduser()
    folders = [*beside, DEBIAN, DOWNLOADS.expanduser() / "FashionMNIST/raw"]
    for folder in folders:
        if files := _complete(folder):
            return files
    try:
        from torchvision.datasets import FashionMNIST

        FashionMNIST(downloads, download=True)
    except (OSError, RuntimeError) as error:
        looked_at = ", ".join(str(folder) for folder in folders)
        raise HeftError(
            "Data source fashion_mnist: its four files (train-images-idx3-ubyte.gz and so on) are in none of "
            f"{looked_at}; install the Debian package dataset-fashion-mnist, or put them into data_dir/fashion_mnist. "
            f"The download to {downloads} failed: {str(error).strip().splitlines()[0]}"
        ) from error
    return _complete(downloads / "FashionMNIST/raw")


def read_idx(path: Path) -> np.ndarray:
    """The values of an IDX file (two zeros, type, number of axes; their lengths; values), uint8 [n, ...].

    Raises HeftError where its content is not the declared one.
    """
    name = path.name.removesuffix(".gz")
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as opened:
            content = opened.read(LARGEST + 1)  # no more: a small file may decompress to anything
    except (EOFError, gzip.BadGzipFile) as error:
        raise HeftError(f"Data source fashion_mnist: {path} is truncated or not a gzip file: {error}.") from error
    digest, expected = hashlib.sha256(content).hexdigest(), fashion_mnist.sha256[name]
    if digest != expected:
        raise HeftError(
            f"Data source fashion_mnist: the content of {path} is not what is expected (changed or truncated): "
            f"SHA-256 expected {expected}, found {digest}."
        )
    n_dimensions = content[3]
    shape = np.frombuffer(content, ">i4", count=n_dimensions, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + shape.nbytes).reshape(shape)


def _complete(folder: Path) -> dict[str, Path]:
    """The files of a folder, compressed or not; empty where one is not there."""
    files = {}
    for name in fashion_mnist.sha256:
        path = next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)
        if path is None:
            return {}
        files[name] = path
    return files

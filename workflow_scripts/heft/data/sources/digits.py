"""digits: 1,797 handwritten digits, 8 x 8, inside the scikit-learn package."""

from pathlib import Path

import numpy as np
import pandas as pd

from heft.data.modalities.images import Images
from heft.data.sources.declare import RawData, source

# Pixels 0..16 become -1..1.
MEAN, STD = 0.5, 0.5


@source(
    origin="pip package scikit-learn, sklearn/datasets/data/digits.csv.gz; UCI optdigits of E. Alpaydin and C. Kaynak",
    licence="CC BY 4.0 (UCI optdigits)",
    sha256={"digits.csv.gz": "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"},
    size={"n": 1797, "input_shape": [1, 8, 8], "n_classes": 10},
)
def digits(data_dir: Path | None) -> RawData:
    """Rows of 64 pixels in 0..16 and the digit; an example's id is its row in the file."""
    file = digits.file("digits.csv.gz", data_dir, package="sklearn", folder="datasets/data")
    table = pd.read_csv(file, header=None, compression="gzip").to_numpy()
    return RawData(
        inputs=((table[:, :-1].reshape(-1, 1, 8, 8) / 16 - MEAN) / STD).astype(np.float32),
        labels=table[:, -1].astype(np.int64),
        ids=[f"digits-{row:04d}" for row in range(len(table))],
        class_names=[str(digit) for digit in range(10)],
        files={"digits.csv.gz": file},
        modality=Images(MEAN, STD),
    )

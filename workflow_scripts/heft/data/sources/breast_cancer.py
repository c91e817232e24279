"""breast_cancer: 569 tumours, 30 measurements of their cells' nuclei each, inside the scikit-learn package."""

from pathlib import Path

import numpy as np
import pandas as pd

from heft.data.modalities.tables import Tables
from heft.data.sources.declare import RawData, source

MEASURED = (
    *("radius", "texture", "perimeter", "area", "smoothness"),
    *("compactness", "concavity", "concave points", "symmetry", "fractal dimension"),
)
STATISTICS = ("mean {}", "{} error", "worst {}")  # over the nuclei of one picture


@source(
    origin="pip package scikit-learn, sklearn/datasets/data/breast_cancer.csv; UCI Breast Cancer Wisconsin (Diagnostic)"
    " of W. Wolberg, O. Mangasarian, N. Street and W. Street",
    licence="CC BY 4.0 (UCI)",
    sha256={"breast_cancer.csv": "fed3eb72d0575ef6192293f5093c6e801b1476b577d0386bf4455504522172ed"},
    size={"n": 569, "input_shape": [30], "n_classes": 2},
)
def breast_cancer(data_dir: Path | None) -> RawData:
    """Standardised measurements and the diagnosis; an example's id is its row in the file."""
    file = breast_cancer.file("breast_cancer.csv", data_dir, package="sklearn", folder="datasets/data")
    table = pd.read_csv(file, header=None, skiprows=1).to_numpy()
    measured = table[:, :-1]
    mean, std = measured.mean(axis=0), measured.std(axis=0)
    names = [statistic.format(name) for statistic in STATISTICS for name in MEASURED]
    return RawData(
        inputs=((measured - mean) / std).astype(np.float32),
        labels=table[:, -1].astype(np.int64),
        ids=[f"breast_cancer-{row:03d}" for row in range(len(table))],
        class_names=["malignant", "benign"],
        files={"breast_cancer.csv": file},
        modality=Tables(names, mean, std),
    )

"""Runs stage scripts one after the other in a folder, without Snakemake."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from plain_training import (
    N_CLASSES,
    SHAPE,
    examples,
)
from stage_job import Job

from heft.artifacts import read_json, read_parquet, read_tensors, write_json, write_parquet
from heft.data.input_writer import write_inputs

SPLITS = {"train": examples(), "validation": examples(12, 1, "v"), "test": examples(15, 2, "t")}


@dataclass(frozen=True)
class Chain:
    """The folder of a chain of stages, and the files that it began with."""

    folder: Path
    data: dict[str, Any]

    def run(
        self, rule: str, files: dict[str, str], output: dict[str, str], params: dict[str, Any], **wildcards: str
    ) -> Job:
        there = {name: self.folder / file if isinstance(file, str) else file for name, file in files.items()}
        return Job(self.folder, rule, self.data | there, output, params, **wildcards).run()

    def read(self, file: str) -> Any:
        readers = {".json": read_json, ".parquet": read_parquet, ".safetensors": read_tensors}
        return readers[Path(file).suffix](self.folder / file)


def write_data(folder: Path) -> dict[str, Any]:
    """Inputs of all splits in one file, in an order of its own, and the table of each split."""
    everything = torch.cat([split.inputs for split in SPLITS.values()])
    place = torch.randperm(len(everything), generator=torch.Generator().manual_seed(0))
    shuffled = torch.empty_like(everything)
    shuffled[place] = everything
    write_inputs(folder / "data/inputs.safetensors", shuffled.numpy())
    classes = [str(label) for label in range(N_CLASSES)]
    facts = {"source": "digits", "dataset_digest": "00", "origin": "made up", "class_names": classes}
    facts["modality"] = {"name": "images"}
    write_json(folder / "data/manifest.json", facts | {"input_shape": list(SHAPE)})
    first = 0
    for name, split in SPLITS.items():
        rows = place[first : first + len(split)]
        table = {"id": split.ids, "row": rows, "label": split.labels, "true_label": split.true_labels}
        write_parquet(folder / f"split/{name}.parquet", pd.DataFrame(table))
        first += len(split)
    files = {name: folder / f"split/{name}.parquet" for name in SPLITS}
    return {"manifest": folder / "data/manifest.json", **files}

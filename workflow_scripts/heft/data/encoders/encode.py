"""Encodes a prepared data set: features of the same examples in the same order, in a folder of their own."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from heft.artifacts import read_json, write_json
from heft.data.encoders.asked import all_options, asked_of
from heft.data.encoders.cache import FeatureCache
from heft.data.encoders.declare import Encoder
from heft.data.encoders.progress import Progress
from heft.data.encoders.stream import features_of
from heft.data.examples import as_rows
from heft.data.input_writer import write_pieces
from heft.data.inputs import InputsFile
from heft.data.modalities.declare import read_back, written
from heft.data.modalities.features import Features
from heft.data.read_files import read_files
from heft.declaration import Declaration
from heft.errors import HeftError
from heft.options import checked_options
from heft.registry import find

CHUNK = 256  # examples


def encode(
    data: Path,
    folder: Path,
    name: str,
    options: Mapping[str, Any],
    cache: Path,
    *,
    tell: Callable[[str], object],
    code: str = "",
    files: str = "",
    threads: int = 1,
) -> None:
    """Writes `inputs.safetensors` and `manifest.json` (last) of the data set in `data` to `folder`.

    name: a registered encoder, or a person's own `package.module:function`. cache: the folder in which features are
    kept. tell: called with lines on how far it is. code: tells the version of the encoder's code from others. files:
    tells the state of a person's files that the options name. Raises HeftError where the data are not of the encoder's
    modality.
    """
    declaration, manifest = find("data/encoders", name), read_json(data / "manifest.json")
    _check_modality(declaration, manifest)
    encoder = declaration.load()(**checked_options(declaration, options))
    known = FeatureCache(cache, _identity(declaration, options, encoder, code), encoder.width)
    progress = Progress(manifest["n"], tell)
    pieces = features_of(_chunks(data, manifest), encoder, known, progress, threads=threads)
    dtype = np.dtype(np.float32)
    write_pieces(folder / "inputs.safetensors", pieces, (encoder.width,), dtype, at_most=manifest["n"])
    known.close()
    tell(progress.summary())
    write_json(folder / "manifest.json", manifest | _facts(declaration, options, encoder, files))


def _chunks(data: Path, manifest: Mapping[str, Any]) -> Iterator[Tensor | list[str]]:
    """Raw examples in their order, each chunk mapped anew: pages of a mapping that was read count as memory."""
    modality = read_back(manifest["modality"])
    for first in range(0, manifest["n"], CHUNK):
        rows = np.arange(first, min(first + CHUNK, manifest["n"]))
        yield modality.raw(as_rows(InputsFile(data / "inputs.safetensors").verified(rows)[rows]))


def _check_modality(declaration: Declaration, manifest: Mapping[str, Any]) -> None:
    takes, given = declaration.fields["modality"], manifest["modality"]["name"]
    if takes != given:
        raise HeftError(
            f"encoder {declaration.name} takes {takes}, but the inputs of data source {manifest['source']} are {given}."
        )


def _identity(declaration: Declaration, options: Mapping[str, Any], encoder: Encoder, code: str) -> str:
    """What tells these features from others."""
    facts = {**asked_of(declaration, options), "files": dict(encoder.files), "code": code}
    return json.dumps(facts, sort_keys=True, ensure_ascii=False)


def _facts(declaration: Declaration, options: Mapping[str, Any], encoder: Encoder, files: str) -> dict[str, Any]:
    """What the manifest of the features says otherwise than that of the data."""
    made_by = {
        "name": declaration.name,
        "options": all_options(declaration, options),
        "origin": declaration.fields["origin"],
        "licence": declaration.fields["licence"],
        "files": dict(encoder.files),
        "width": encoder.width,
    }
    shape = [encoder.width]
    read = read_files({name: Path(options[name]) for name in declaration.fields["paths"] if options.get(name)})
    return {
        "input_shape": shape,
        "modality": written(Features(), shape),
        "encoder": made_by,
        "read": {"state": files, "files": read.kept, "folders": read.folders},
    }

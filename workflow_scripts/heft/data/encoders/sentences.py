"""Features of texts by a folder of sentence-transformers: a network of transformers, a pooling, and a length of one."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from heft.artifacts import sha256_of_file
from heft.data.encoders.declare import Encoder
from heft.errors import HeftError

# What modules.json may list, in this order; the second and third may be missing.
MODULES = ("Transformer", "Pooling", "Normalize")
POOLINGS = ("mean", "cls", "max")
USUAL_LENGTH = 256  # tokens, where neither the folder nor its tokenizer says how many the network takes


class SentenceFeatures(Encoder):
    """Texts, one at a time: without padding, the features of one have the same bits whatever stands beside it."""

    batch_size = 1

    def __init__(self, name: str, folder: Path, max_tokens: int | None = None) -> None:
        """Reads the folder, and nothing from a network; raises HeftError where it is not such a folder."""
        from safetensors import SafetensorError
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        modules = modules_of(name, folder)
        self.pooling, self.normalised = pooling_of(name, modules), "Normalize" in modules
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self.network = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            said = " ".join(str(error).split())[:200]
            raise HeftError(f"Encoder {name}: transformers cannot read {folder} ({said}).") from error
        self.network.eval().requires_grad_(False)
        self.max_tokens = max_tokens or usual_length(folder, self.tokenizer)
        self.width = int(self.network.config.hidden_size)
        self.files = files_of([folder, *(place for place in modules.values() if place != folder)], folder)

    def encode(self, batch: Sequence[str]) -> Tensor:
        return torch.cat([self._encode(text) for text in batch])

    def _encode(self, text: str) -> Tensor:
        tokens = self.tokenizer(text, truncation=True, max_length=self.max_tokens, return_tensors="pt")
        with torch.no_grad():
            states: Tensor = self.network(**tokens).last_hidden_state  # [1, tokens, width]
        pooled = {"mean": states.mean(1), "cls": states[:, 0], "max": states.amax(1)}[self.pooling]
        return normalize(pooled, dim=1) if self.normalised else pooled


def modules_of(name: str, folder: Path) -> dict[str, Path]:
    """{kind: its folder} of what modules.json lists; of a folder without it, the network and its mean."""
    if not (folder / "config.json").is_file():
        raise HeftError(f"Encoder {name}: {folder} has no config.json, so it is no folder of a network for texts.")
    if not (folder / "modules.json").is_file():
        return {"Transformer": folder}
    listed = read(name, folder / "modules.json")
    modules = {entry["type"].rpartition(".")[2]: folder / entry["path"] for entry in listed}
    for kind in modules:
        if kind not in MODULES:
            raise HeftError(f"Encoder {name}: {folder}/modules.json has a {kind}; known: {', '.join(MODULES)}.")
    return modules


def pooling_of(name: str, modules: Mapping[str, Path]) -> str:
    """`mean`, `cls` or `max`: how the states of the tokens become one."""
    if "Pooling" not in modules:
        return "mean"
    file = modules["Pooling"] / "config.json"
    facts = read(name, file)
    older = [key.removeprefix("pooling_mode_") for key, value in facts.items() if key[:13] == "pooling_mode_" and value]
    chosen = facts.get("pooling_mode", "+".join(older).removesuffix("_tokens").removesuffix("_token"))
    if chosen not in POOLINGS:
        raise HeftError(f'Encoder {name}: {file} has the pooling "{chosen}"; known: {", ".join(POOLINGS)}.')
    return str(chosen)


def usual_length(folder: Path, tokenizer: Any) -> int:
    """Tokens of the longest text: as sentence-transformers says, else the tokenizer."""
    file = folder / "sentence_bert_config.json"
    said = json.loads(file.read_text(encoding="utf-8")).get("max_seq_length") if file.is_file() else None
    longest = said or tokenizer.model_max_length
    return int(longest) if longest < 1_000_000 else USUAL_LENGTH  # a tokenizer that does not know says 1e30


def files_of(folders: Sequence[Path], root: Path) -> dict[str, str]:
    """SHA-256 of each file in the folders, pages to read aside."""
    files = sorted(file for folder in folders if folder.is_dir() for file in folder.iterdir() if file.is_file())
    return {str(file.relative_to(root)): sha256_of_file(file) for file in files if file.suffix != ".md"}


def read(name: str, file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HeftError(f"Encoder {name}: {file} cannot be read as JSON ({error}).") from error

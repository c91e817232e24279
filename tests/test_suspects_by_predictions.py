"""heft.suspects of predictions and labels alone: formulas, words, and what does not fit, in one sentence."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from cleanlab.rank import get_label_quality_scores
from real_data import real_file
from sklearn.metrics import average_precision_score, roc_auc_score

import heft
from heft.arguments.given_predictions import order_warning

N, WORDS = 50, ["dog", "cat", "eel"]
DRAWN = np.random.default_rng(0)
LABELS = DRAWN.integers(3, size=N)
PREDICTIONS = DRAWN.dirichlet([1, 1, 1], size=N) * 0.5 + 0.5 * np.eye(3)[LABELS]


def scores_of(n: int = N, **passed: Any) -> np.ndarray:
    """Scores [n] in the order of the rows."""
    found = heft.suspects(count=n, **{"predictions": PREDICTIONS, "labels": LABELS, **passed})
    assert [suspect.score for suspect in found] == sorted(suspect.score for suspect in found)
    return np.array([suspect.score for suspect in sorted(found, key=lambda suspect: suspect.row)])


def largest_other(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.array([max(np.delete(row, label)) for row, label in zip(probabilities, labels, strict=True)])


FORMULAS: list[tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]] = [
    ("confidence", lambda p, other: p),
    ("loss", lambda p, other: np.log(p)),
    ("margin", lambda p, other: np.log(p) - np.log(other)),
    ("confident_learning", lambda p, other: p),
]


@pytest.mark.parametrize(("method", "formula"), FORMULAS)
def test_a_score_of_predictions_is_the_methods_formula(
    method: str, formula: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> None:
    expected = formula(PREDICTIONS[np.arange(N), LABELS], largest_other(PREDICTIONS, LABELS))
    np.testing.assert_allclose(scores_of(method=method), expected, rtol=1e-9)


@pytest.mark.parametrize("adjusted", [False, True])
@pytest.mark.parametrize("quality", ["normalized_margin", "self_confidence"])
def test_confident_learning_of_predictions_is_cleanlabs(quality: str, adjusted: bool) -> None:
    expected = get_label_quality_scores(LABELS, PREDICTIONS, method=quality, adjust_pred_probs=adjusted)
    scores = scores_of(method="confident_learning", quality=quality, adjusted=adjusted)
    np.testing.assert_allclose(scores, expected, rtol=1e-9)


def test_the_likeliest_class_is_suggested_and_the_given_one_where_it_is_as_likely() -> None:
    rows = [[0.5, 0.5, 0], [0.4, 0.5, 0.1], [0.2, 0.4, 0.4], [0, 0, 1]]
    found = heft.suspects(predictions=rows, labels=[1, 0, 0, 2], count=4)
    assert [(suspect.row, suspect.label, suspect.suggested) for suspect in found] == [
        (2, 0, 1), (1, 0, 1), (0, 1, 1), (3, 2, 2),
    ]  # fmt: skip


def test_a_probability_of_zero_is_the_most_suspect_and_finite() -> None:
    rows = torch.tensor([[0.5, 0.5], [0.0, 1.0], [1.0, 0.0]], dtype=torch.float16)
    assert [suspect.row for suspect in heft.suspects(predictions=rows, labels=[0, 0, 0])] == [1, 0, 2]
    assert np.isfinite(scores_of(predictions=rows, labels=[0, 0, 0], n=3, method="loss")).all()


def test_labels_may_be_words_or_places_of_words_and_a_table_names_its_columns() -> None:
    by_place = heft.suspects(predictions=PREDICTIONS, labels=LABELS, count=5)
    expected = [
        (s.row, s.score, WORDS[int(s.label)], WORDS[int(s.suggested)])  # type: ignore[arg-type]
        for s in by_place
    ]
    words = [WORDS[label] for label in LABELS]
    for passed in (
        {"predictions": PREDICTIONS, "labels": words, "classes": WORDS},
        {"predictions": pd.DataFrame(PREDICTIONS, columns=WORDS), "labels": pd.Series(words)},
        {"predictions": pd.DataFrame(PREDICTIONS, columns=WORDS), "labels": LABELS},
        {"predictions": torch.tensor(PREDICTIONS), "labels": torch.tensor(LABELS), "classes": WORDS},
    ):
        assert heft.suspects(count=5, **passed) == expected  # type: ignore[arg-type]


def test_numbers_that_name_columns_stay_numbers() -> None:
    found = heft.suspects(predictions=PREDICTIONS, labels=7 + LABELS.astype(float), classes=["7", "8", "9"], count=3)
    plain = heft.suspects(predictions=PREDICTIONS, labels=LABELS, count=3)
    for named, numbered in zip(found, plain, strict=True):
        assert (named.label, named.suggested) == (7 + numbered.label, 7 + numbered.suggested)  # type: ignore[operator]


def changed(row: int, values: list[float]) -> np.ndarray:
    predictions = PREDICTIONS.copy()
    predictions[row] = values
    return predictions


NAN = float("nan")
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"predictions": PREDICTIONS[:40]}, "predictions hold 40 rows for 50 labels; expected one for each."),
    ({"predictions": PREDICTIONS[:, 0]}, "predictions are float64 [50]; expected probabilities [n, n_classes], a "
     "column for each class, also where there are two."),
    ({"predictions": changed(7, [0.2, 0.2, 0.2])}, "predictions: row 7 sums to 0.6; expected 1, to within 0.05."),
    ({"predictions": changed(7, [0.2, NAN, 0.2])}, "predictions: row 7, column 1 holds nan; expected probabilities "
     "from 0 to 1."),
    ({"predictions": changed(7, [2, -1, 0])}, "predictions: row 7, column 0 holds 2; expected probabilities from 0 to "
     "1; of logits, pass softmax."),
    ({"predictions": [["a"]]}, "predictions is a list; expected a tensor or an array of numbers."),
    ({"labels": [*LABELS[:-1], 3]}, "labels hold 3, which is no number of a column (0 to 2), and predictions do not "
     "name their columns; pass classes, the names in the order of the columns."),
    ({"labels": [*"abc" * 16, "a", "b"]}, 'labels hold "a", which is no number of a column (0 to 2), and predictions '
     "do not name their columns; pass classes, the names in the order of the columns, such as a,b,c."),
    ({"labels": [*"abc" * 16, "a", ""]}, 'labels: row 49 holds ""; expected a whole number or a word.'),
    ({"labels": [*LABELS[:-1], NAN]}, "labels: row 49 holds NaN; expected a whole number or a word."),
    ({"labels": [*"cde" * 16, "c", "d"], "classes": ["c", "d", "f"]}, 'labels: row 2 has "e", which is none of the '
     "classes: c, d, f."),
    ({"classes": ["a", "b"], "labels": [*"ab" * 25]}, "classes are 2 for 3 columns of predictions; expected one for "
     "each."),
    ({"classes": ["a", "b", "a"]}, 'classes holds "a" twice; each stands once.'),
    ({"labels": []}, "predictions hold 50 rows for 0 labels; expected one for each."),
    ({"labels": None}, "labels are missing; pass the given label of each row of predictions."),
    ({"labels": 3}, "labels is a int; expected a label for each example."),
    ({"method": "linear_probe"}, "Method linear_probe needs embeddings, but predictions are passed; methods of "
     "predictions are confidence, confident_learning, loss, margin."),
    ({"method": "ip"}, "Method ip needs more than predictions or embeddings; methods of predictions are confidence, "
     "confident_learning, loss, margin, methods of embeddings are linear_probe, neighbour_vote."),
    ({"quality": "x", "method": "confident_learning"}, 'method confident_learning: quality is "x"; Known: '
     "confidence_weighted_entropy, normalized_margin, self_confidence"),
    ({"scores": [1]}, "heft.suspects takes scores, or else predictions or embeddings with labels; pass one of these."),
    ({"scores": LABELS, "predictions": None, "method": "loss"}, "scores are passed, for which loss says nothing; leave "
     "it out."),
]  # fmt: skip


@pytest.mark.parametrize(("passed", "sentence"), REFUSED)
def test_what_does_not_fit_is_one_sentence(passed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(heft.HeftError) as error:
        heft.suspects(**{"predictions": PREDICTIONS, "labels": LABELS, **passed})
    assert str(error.value) == sentence


def test_rows_in_another_order_are_suspected() -> None:
    with pytest.warns(
        heft.HeftWarning, match="margin: the likeliest class is the given label in .* no more than by ch"
    ):
        heft.suspects(predictions=PREDICTIONS[::-1].copy(), labels=LABELS)
    # The half of the labels that is right is more than chance.
    half = torch.where(torch.arange(N) % 2 == 0, torch.tensor(LABELS), torch.tensor(np.roll(LABELS, 1)))
    assert order_warning(torch.tensor(PREDICTIONS), half) == ""


@pytest.mark.parametrize(
    ("options", "auroc", "precision"),
    [
        ({"method": "margin"}, 0.968, 0.957),
        ({"method": "confident_learning", "quality": "normalized_margin"}, 0.9668, 0.953),
        ({"method": "confident_learning", "quality": "normalized_margin", "adjusted": True}, 0.966, 0.9515),
        ({"method": "confidence"}, 0.963, 0.951),
        ({"method": "loss"}, 0.963, 0.951),
    ],
)
def test_predictions_of_real_labels_find_what_people_got_wrong(
    options: dict[str, Any], auroc: float, precision: float
) -> None:
    """CIFAR-10N, the worse labels, by out-of-fold probabilities of a ResNet-18 that others trained."""
    file = real_file("cifar10n/out_of_fold_resnet18.npz")
    with np.load(file) as held:
        predictions, labels, clean = (held[f"worse_{name}"] for name in ("probabilities", "label", "clean_label"))
    scores = scores_of(predictions=predictions, labels=labels, n=len(labels), **options)
    assert roc_auc_score(labels != clean, -scores) > auroc
    assert average_precision_score(labels != clean, -scores) > precision

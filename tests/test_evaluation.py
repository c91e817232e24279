"""What `evaluate` adds in long form: accuracy by class, and what a person who inspects the lowest scores finds."""

import numpy as np
import pytest
import torch
from sklearn.metrics import precision_score, recall_score

from heft.evaluation.detection import inspection_quality
from heft.evaluation.measuring import accuracy_by_class


def test_accuracy_by_class_is_scikit_learns_recall_of_each_class_that_has_examples() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(200, 5, generator=generator)
    labels = torch.randint(0, 4, (200,), generator=generator)  # class 4 has no example
    accuracies = accuracy_by_class(logits, labels)
    expected = recall_score(labels, logits.argmax(1), labels=[0, 1, 2, 3], average=None, zero_division=0)
    assert accuracies == pytest.approx({f"test_accuracy_class_{index}": value for index, value in enumerate(expected)})


def test_inspecting_as_many_as_are_wrong_counts_precision_recall_and_false_negatives() -> None:
    generator = np.random.default_rng(1)
    wrong = generator.random(300) < 0.2
    scores = generator.normal(size=300) - wrong
    n_wrong = int(wrong.sum())
    inspected = np.zeros(300, dtype=bool)
    inspected[np.argsort(scores)[:n_wrong]] = True
    assert inspection_quality(scores, wrong, np.arange(300)) == pytest.approx(
        {
            "noise_n_wrong": n_wrong,
            "noise_precision_inspected": precision_score(wrong, inspected),
            "noise_recall_inspected": recall_score(wrong, inspected),
            "noise_missed_inspected": int((wrong & ~inspected).sum()),
        }
    )


def test_the_oracle_misses_none_and_its_reverse_all() -> None:
    wrong = np.arange(10) < 3
    assert inspection_quality(-wrong.astype(float), wrong, np.arange(10))["noise_missed_inspected"] == 0
    assert inspection_quality(wrong.astype(float), wrong, np.arange(10))["noise_missed_inspected"] == 3

"""The trial of a method is spared large eigenproblems, and still finds what the model makes of their matrices."""

import pytest
import torch
from torch import Tensor

from heft.checking import methods, training, whole_state
from heft.checking.methods import methods_that_run
from heft.checking.short_eigenvectors import LARGEST, ShortEigenvectors
from heft.checking.subject import Subject, subject_of
from heft.models.build import ModelSpec


def matrix_of(n: int, *leading: int) -> Tensor:
    rows = torch.randn(*leading, n, n, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return rows @ rows.mT


def test_a_small_matrix_keeps_its_own_eigenvectors() -> None:
    matrix = matrix_of(20)
    with ShortEigenvectors():
        values, vectors = torch.linalg.eigh(matrix)
    torch.testing.assert_close(vectors @ values.diag() @ vectors.mT, matrix)


@pytest.mark.parametrize("leading", [(), (2,)])
def test_a_large_one_gets_orthogonal_ones_that_are_those_of_its_diagonal(leading: tuple[int, ...]) -> None:
    matrix = matrix_of(LARGEST + 1, *leading)
    with ShortEigenvectors():
        found = torch.linalg.eigh(matrix)
    diagonal = torch.diag_embed(matrix.diagonal(dim1=-2, dim2=-1))
    torch.testing.assert_close(
        found.eigenvectors @ torch.diag_embed(found.eigenvalues) @ found.eigenvectors.mT, diagonal
    )
    assert (found.eigenvalues.diff() >= 0).all()
    one = torch.eye(LARGEST + 1, dtype=torch.float64).expand_as(matrix)
    torch.testing.assert_close(found.eigenvectors @ found.eigenvectors.mT, one)


def test_a_large_matrix_that_is_not_finite_is_not_spared() -> None:
    matrix = matrix_of(LARGEST + 1)
    matrix[3, 4] = matrix[4, 3] = torch.nan  # beside the diagonal
    with ShortEigenvectors():
        assert torch.linalg.eigh(matrix).eigenvalues.isnan().any()


def wide() -> Subject:
    """A model with a layer whose matrices are large."""
    return subject_of(ModelSpec("mlp", {"hidden": [LARGEST + 8]}, [1, 4, 4], 4))


def test_a_method_on_a_wide_model_is_tried_without_the_eigenvectors(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    right = torch.linalg.eigh

    class Noted(ShortEigenvectors):
        def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            if func is right:
                sizes.append(args[0].shape[-1])
            return super().__torch_function__(func, types, args, kwargs)

    monkeypatch.setattr(methods, "ShortEigenvectors", Noted)
    findings, _ = methods_that_run(wide(), [("if_ekfac", {}), ("if_kfac", {})], [])
    assert [finding.reason for finding in findings] == ["", ""]
    assert max(sizes) > LARGEST


def test_a_large_model_is_tried_on_fewer_examples_of_two_labels() -> None:
    of_many = subject_of(ModelSpec("mlp", {"hidden": [1000, 1000]}, [1, 4, 4], 4), torch.randn(8, 1, 4, 4))
    assert of_many.examples.labels.tolist() == [0, 1, 0, 1]
    assert len(of_many.few.labels) == 2
    assert wide().examples.labels.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert len(wide().few.labels) == 3


def test_two_checks_look_at_one_plain_training() -> None:
    subject = wide()
    trained = subject.plainly_trained
    assert whole_state.state_is_whole(subject).holds
    assert training.trains_alone(subject).holds
    assert subject.plainly_trained is trained

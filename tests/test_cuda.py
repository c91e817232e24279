"""On a GPU a ResNet-18 has the scores and the training step of the CPU; skipped where torch finds none."""

import importlib
from types import ModuleType

import pytest
import torch
from workspace import ROOT


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """benchmarks/devices.py."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("devices")


@pytest.mark.slow
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU here: nothing was run on cuda")
def test_scores_and_a_training_step_are_those_of_the_cpu(benchmark: ModuleType) -> None:
    there, here = (benchmark.answers(device, width=8, n=128, warm=0) for device in ("cuda", "cpu"))
    for name, expected in here.items():
        assert benchmark.difference(there[name].numbers, expected.numbers) < benchmark.ALLOWED[name], name
        assert benchmark.likeness(there[name].numbers, expected.numbers) > benchmark.LEAST_ALIKE, name


@pytest.mark.slow
def test_the_benchmark_compares_every_method_and_the_step_and_sees_a_difference(benchmark: ModuleType) -> None:
    answers = benchmark.answers("cpu", width=4, n=40, side=8, warm=0)
    assert answers.keys() == benchmark.ALLOWED.keys()
    for answer in answers.values():
        numbers = answer.numbers
        assert (benchmark.difference(numbers, numbers), benchmark.likeness(numbers, numbers)) == (0, pytest.approx(1))
        assert benchmark.difference(1.5 * numbers, numbers) == pytest.approx(0.5)
        assert benchmark.likeness(-numbers, numbers) < 0

"""The device of a name, what is set on cuda alone, and what stands in for a GPU where there is none."""

import ast
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from house import LIBRARY
from meta_device import META, MetaDevice, OtherDeviceError

from heft import devices
from heft.devices import CPU, computing, device_named, in_float64, in_precision, moved_to
from heft.errors import HeftError
from heft.kernels.curvature.solve import leading_eigenpair
from heft.persons_code import generators_kept, seed_generators

CUDNN = torch.backends.cudnn
# Rooms whose numbers may be computed on any device.
ROOMS = ("kernels", "methods", "objectives", "ensembles", "training", "evaluation", "checking", "scoring")
FACTORIES = {
    "arange",
    "empty",
    "eye",
    "full",
    "linspace",
    "ones",
    "rand",
    "randint",
    "randn",
    "randperm",
    "tensor",
    "zeros",
}


def there(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in found)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in found)


@pytest.mark.parametrize(
    ("found", "chosen"), [((), "cpu"), (("mps",), "mps"), (("cuda",), "cuda"), (("cuda", "mps"), "cuda")]
)
def test_auto_is_the_first_of_cuda_mps_and_cpu(
    found: tuple[str, ...], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there(monkeypatch, *found)
    assert device_named("auto") == torch.device(chosen)
    assert device_named("cpu") == CPU


def test_a_device_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    there(monkeypatch, "mps")
    with pytest.raises(HeftError, match=r'^device is "cuda", which torch does not find .*; it finds mps, cpu\.$'):
        device_named("cuda")


def settings() -> tuple[Any, ...]:
    return torch.get_float32_matmul_precision(), CUDNN.allow_tf32, CUDNN.deterministic, CUDNN.benchmark


@pytest.mark.parametrize(
    ("precision", "training", "expected"),
    [
        ("float32", True, ("highest", False, True, False)),
        ("tf32", True, ("high", True, True, False)),
        ("tf32", False, ("highest", False, True, False)),
        ("bfloat16", False, ("highest", False, True, False)),
    ],
)
def test_cuda_is_exact_but_in_a_training_of_another_precision(
    precision: str, training: bool, expected: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    there(monkeypatch, "cuda")
    before = settings()
    with computing("cuda", precision, training=training) as device:
        assert (device.type, settings()) == ("cuda", expected)
        assert not torch.is_autocast_enabled("cuda")
    assert settings() == before


def test_on_the_cpu_nothing_is_set() -> None:
    before = settings()
    with in_precision(CPU, "tf32"):
        assert settings() == before


def test_float64_is_on_the_device_or_on_the_cpu_where_the_device_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = in_float64(torch.ones(3))
    assert (exact.dtype, in_float64(exact) is exact) == (torch.float64, True)
    with MetaDevice():
        assert in_float64(torch.ones(3, device=META)).device == META
        monkeypatch.setattr(devices, "WITHOUT_FLOAT64", ("meta",))
        assert in_float64(torch.ones(3, device=META)).device == CPU


def test_a_state_that_is_there_is_not_copied() -> None:
    state = {"weight": torch.ones(2)}
    assert moved_to(CPU, state)["weight"] is state["weight"]


def test_generators_of_a_device_in_use_are_seeded_and_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    held = [torch.tensor([7])]
    stand_in = SimpleNamespace(get_rng_state=lambda: held[-1], set_rng_state=held.append)
    stand_in.manual_seed = lambda seed: held.append(torch.tensor([seed]))
    monkeypatch.setattr("heft.persons_code.devices_in_use", lambda: [stand_in])
    with generators_kept():
        seed_generators(5)
        assert held[-1] == 5
    assert held[-1] == 7


MEETINGS = {
    "a tensor of the CPU": lambda there: there + torch.ones(3),
    "a matrix of the CPU in a product": lambda there: torch.ones(2, 3) @ there,
    "a generator of the CPU": lambda there: there.normal_(generator=torch.Generator()),
    "a sum of both": lambda there: torch.cat([there, torch.ones(3)]),
}
ALLOWED = {
    "a number": lambda there: there * torch.tensor(2.0),
    "a copy": lambda there: there.copy_(torch.ones(3)),
    "places on the CPU": lambda there: there[torch.tensor([0, 2])],
    "a mask on the CPU": lambda there: there[torch.tensor([True, False, True])],
}


@pytest.mark.parametrize("meeting", MEETINGS)
def test_what_a_gpu_refuses_is_refused_even_where_it_is_caught(meeting: str) -> None:
    with pytest.raises(OtherDeviceError), MetaDevice():
        MEETINGS[meeting](torch.zeros(3, device=META))
    with pytest.raises(OtherDeviceError), MetaDevice(), suppress(OtherDeviceError):
        MEETINGS[meeting](torch.zeros(3, device=META))


@pytest.mark.parametrize("meeting", ALLOWED)
def test_what_a_gpu_takes_is_taken(meeting: str) -> None:
    with MetaDevice():
        assert ALLOWED[meeting](torch.zeros(3, device=META)).device == META


@pytest.mark.parametrize("seed", range(4))
def test_an_eigenvector_that_begins_at_a_drawn_vector_is_on_the_device(seed: int) -> None:
    with MetaDevice(seed=seed):
        assert leading_eigenpair(lambda vector: 2 * vector, torch.zeros(20, device=META)).vector.device == META


def undirected(file: Path) -> list[str]:
    """Calls of torch that make a tensor and say neither its device nor the generator, which is the CPU's."""
    calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    made = [call for call in calls if ast.unparse(call.func) in {f"torch.{name}" for name in FACTORIES}]
    named = ({keyword.arg for keyword in call.keywords} & {"device", "generator"} for call in made)
    return [f"{file.name}: {ast.unparse(call)}" for call, said in zip(made, named, strict=True) if not said]


def test_each_call_that_makes_a_tensor_names_its_device_or_the_generator_of_the_cpu() -> None:
    files = [file for room in ROOMS for file in sorted((LIBRARY / room).rglob("*.py"))]
    assert len(files) > 100
    assert [said for file in files for said in undirected(file)] == []

"""Runs a person's code: what it raises is a sentence, what it prints is no result, what it sets is put back."""

import os
import random
import site
import sys
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from heft.errors import HeftError

LONGEST_REASON = 300
_HEFT = Path(__file__).parent
_NOT_A_PERSONS = (
    *(str(Path(place)) for place in {sysconfig.get_path("stdlib"), *site.getsitepackages()}),
    *(str(_HEFT / "models" / file) for file in ("build.py", "own.py")),
    *(str(_HEFT / "models/soundness" / file) for file in ("by_itself.py", "checks.py", "trained.py")),
    *(str(_HEFT / file) for file in ("own_module.py", "persons_code.py")),
    "<frozen",
)


class Setting(NamedTuple):
    """Something that holds for the whole process: how it is read and set; `says`: what a change of it is called."""

    read: Callable[[], Any]
    write: Callable[[Any], object]
    says: str = ""


def _set_device(device: torch.device) -> None:
    # A default device that is set, were it the usual one, slows every call down.
    torch.set_default_device(None if device.type == "cpu" else device)


def _set_deterministic(values: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(values[0], warn_only=values[1])


def _deterministic() -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


SETTINGS = (
    Setting(torch.get_default_dtype, torch.set_default_dtype, "torch's default type to {}"),
    Setting(torch.get_default_device, _set_device, "torch's default device to {}"),
    Setting(torch.is_grad_enabled, torch.set_grad_enabled, "torch's gradients off (set_grad_enabled is {})"),
    Setting(torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    Setting(_deterministic, _set_deterministic),
    Setting(torch.get_num_threads, torch.set_num_threads),
    Setting(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    Setting(os.getcwd, os.chdir),
)


@contextmanager
def persons_code(doing: str) -> Iterator[None]:
    """Runs a person's code in the block; `doing` begins its sentence: "model my_models:build cannot be built".

    Settings of the whole process and the state of every global generator are afterwards as they were. Raises HeftError
    where the code raises or calls sys.exit, or leaves a setting changed that changes numbers.
    """
    before = [setting.read() for setting in SETTINGS]
    try:
        with generators_kept(), warnings.catch_warnings(), np.errstate(), redirect_stdout(sys.stderr):
            yield
        after = [setting.read() for setting in SETTINGS]
    except (HeftError, MemoryError):
        raise
    except SystemExit as error:
        raise HeftError(f"{doing}: it ends the process by sys.exit({error.code!r}){_place(error)}.") from error
    except Exception as error:
        if "can't allocate memory" in str(error):  # a fault of the machine
            raise
        raise HeftError(f"{doing}: {reason_of(error)}{_place(error)}.") from error
    finally:
        changed = [setting for setting, value in zip(SETTINGS, before, strict=True) if setting.read() != value]
        for setting, value in zip(SETTINGS, before, strict=True):
            if setting in changed:
                setting.write(value)
    for setting, value in zip(SETTINGS, after, strict=True):
        if setting in changed and setting.says:
            raise HeftError(f"{doing}: it sets {setting.says.format(value)} and leaves it so; put it back.")


@contextmanager
def generators_kept() -> Iterator[None]:
    """The global generators of torch, numpy and Python are afterwards as they were."""
    of_numpy, of_python = np.random.get_state(), random.getstate()
    of_devices = [(device, device.get_rng_state()) for device in devices_in_use()]
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        for device, state in of_devices:
            device.set_rng_state(state)
        np.random.set_state(of_numpy)
        random.setstate(of_python)


def devices_in_use() -> list[Any]:
    """The modules torch.cuda and torch.mps where they have a generator that may have been drawn from."""
    cuda = [torch.cuda] if torch.cuda.is_initialized() else []
    return cuda + ([torch.mps] if torch.backends.mps.is_available() else [])


def seed_generators(seed: int) -> None:
    """Seeds the global generators of torch, numpy and Python."""
    torch.default_generator.manual_seed(seed)
    for device in devices_in_use():
        device.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def reason_of(error: BaseException) -> str:
    """Type and first line of an error; of a usual error of torch the line alone."""
    said = " ".join(next(iter(str(error).strip().splitlines()), "").split())[:LONGEST_REASON].removesuffix(".")
    plain = type(error) in (RuntimeError, ImportError, ModuleNotFoundError)
    return said if plain and said else f"{type(error).__name__}: {said}" if said else type(error).__name__


def _place(error: BaseException) -> str:
    """` (my_models.py, line 3)`: the innermost line of a person's own file."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename}, line {error.lineno})"
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_NOT_A_PERSONS)
    ]
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""

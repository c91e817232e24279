"""A person's own file of models: what it does wrong is one sentence, what it does besides stays without consequence."""

import random
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from heft.errors import HeftError
from heft.models.build import build_model


def built(name: str, seed: int = 0) -> torch.nn.Module:
    return build_model(name, {}, (1, 4, 4), 4, seed)


def test_a_model_that_takes_numbers_in_0_to_1_alone_is_accepted(own: Path) -> None:
    write(own, "    return nn.Sequential(Root(), nn.Flatten(), nn.Linear(16, n_classes))\n")
    assert built("own_file:build")(torch.ones(2, 1, 4, 4)).isfinite().all()


def write(folder: Path, body: str, before: str = "", after: str = "") -> None:
    """A module own_file.py whose `build` has this body."""
    (folder / "own_file.py").write_text(
        f"{before}import torch\nfrom torch import nn\n"
        "class Root(nn.Module):\n    def forward(self, x): return x.sqrt()\n"
        "class Net(nn.Module):\n"
        "    def __init__(self, shape=None, n=4): super().__init__(); self.a = nn.Linear(16, n)\n"
        "    def forward(self, x): return self.a(x.flatten(1))\n"
        f"def build(input_shape, n_classes):\n{body}{after}"
    )


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two files of one size and second are two files
    monkeypatch.delitem(sys.modules, "own_file", raising=False)
    return tmp_path


RETURNED = {
    "    return Net\n": "returns the class Net; expected a torch.nn.Module; return an instance, not the class",
    "    return None\n": "returns None; expected a torch.nn.Module",
    "    return build\n": "returns a function; expected a torch.nn.Module",
    "    return torch.jit.script(nn.Linear(16, 4))\n": "TorchScript",
    "    return Net(n=7)\n": "returns shape [2, 7] for 2 examples; expected [2, 4]",
    "    torch.manual_seed(1)\n    return Net()\n": "seeds torch's generator",
    "    return NET\n": "returns the same parameters at each call",
    "    net = Net()\n    nn.init.uniform_(net.a.weight, generator=OWN)\n    return net\n": "a.weight starts with ot",
    "    raise ValueError('no such width')\n": "cannot be built: ValueError: no such width (",
    "    return {}['width']\n": "cannot be built: KeyError: 'width' (",
    "    raise SystemExit(3)\n": "cannot be built: it ends the process by sys.exit(3) (",
    "    return build(input_shape, n_classes)\n": "cannot be built: RecursionError: maximum recursion depth exceeded (",
    "    torch.set_default_dtype(torch.float64)\n    return Net()\n": "sets torch's default type to torch.float64",
    "    torch.set_default_device('meta')\n    return Net()\n": "sets torch's default device to meta",
    "    torch.set_grad_enabled(False)\n    return Net()\n": "sets torch's gradients off",
}


@pytest.mark.parametrize("body", RETURNED)
def test_what_a_function_must_not_do_is_one_sentence(own: Path, body: str) -> None:
    write(own, body, after="NET = Net()\nOWN = torch.Generator()\n")
    with pytest.raises(HeftError) as caught:
        built("own_file:build")
    assert str(caught.value).startswith(("model own_file:build ", "model own_file:build:"))
    assert RETURNED[body] in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    if RETURNED[body].endswith("("):
        assert f"{own / 'own_file.py'}, line 9)" in str(caught.value)


IMPORTED = {
    "print('hello')\nraise SystemExit\n": "cannot be imported: it ends the process by sys.exit(None) (",
    "def broken(:\n": "cannot be imported: SyntaxError: invalid syntax (",
    "import no_such_package\n": "cannot be imported: No module named 'no_such_package' (",
    "from .beside import layer\n": "cannot be imported: attempted relative import with no known parent package (",
    "1 / 0\n": "cannot be imported: ZeroDivisionError: division by zero (",
    "def f(): f()\nf()\n": "cannot be imported: RecursionError: maximum recursion depth exceeded (",
    "import torch\ntorch.set_default_dtype(torch.float64)\n": "sets torch's default type to torch.float64",
    "\x00": "cannot be imported: ",
}


@pytest.mark.parametrize("before", IMPORTED)
def test_a_file_that_cannot_be_imported_is_one_sentence_each_time(
    own: Path, before: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(own, "    return Net()\n", before)
    for _ in range(2):
        with pytest.raises(HeftError) as caught:
            built("own_file:build")
        assert str(caught.value).startswith('model "own_file:build" cannot be imported: ')
        assert IMPORTED[before] in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1
        if IMPORTED[before].endswith("("):
            assert f"{own / 'own_file.py'}, line " in str(caught.value)
    assert capsys.readouterr().out == ""


def test_what_a_persons_code_prints_and_sets_is_no_result_and_does_not_stay(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (
        "import os, random, numpy, torch\nprint('imported')\ntorch.manual_seed(4)\n"
        "numpy.random.seed(4)\nrandom.seed(4)\n"
        "torch.use_deterministic_algorithms(True)\ntorch.set_num_threads(3)\nos.chdir('/')\n"
        "torch.set_float32_matmul_precision('medium')\nnumpy.seterr(all='raise')\n"
    )
    write(own, "    print('built')\n    return Net()\n", before)
    torch.manual_seed(1)
    kept = (torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate())
    threads, precision, errors = torch.get_num_threads(), torch.get_float32_matmul_precision(), np.geterr()
    model = built("own_file:build")
    assert model(torch.zeros(1, 1, 4, 4)).shape == (1, 4)
    assert (torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()) == kept
    assert not torch.are_deterministic_algorithms_enabled()
    assert (torch.get_num_threads(), torch.get_float32_matmul_precision(), np.geterr()) == (threads, precision, errors)
    assert Path.cwd() == own
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "imported" in printed.err
    assert "built" in printed.err


def test_draws_of_numpy_and_of_python_follow_from_the_seed_too(own: Path) -> None:
    body = "    net = Net()\n    net.a.weight.data += numpy.random.rand() + random.random()\n    return net\n"
    write(own, body, "import random, numpy\n")
    first, again, other = (built("own_file:build", seed).a.weight for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)

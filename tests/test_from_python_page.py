"""The blocks of docs/from_python.md run one after the other, and do what the page says."""

import os
import re
import subprocess
import sys
from typing import Any

import pytest
import torch
from workspace import ROOT

import heft

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGE = ROOT / "docs" / "from_python.md"


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What the page's variables hold at its end."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    assert len(blocks) == text.count("```python")
    made: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), made)
    return made


def test_the_lowest_scores_find_wrong_labels(names: dict[str, Any]) -> None:
    assert names["wrong"] > 20
    assert names["scores"].shape == (600,)


def test_every_block_gave_other_scores_of_the_same_examples(names: dict[str, Any]) -> None:
    results = [names[name] for name in ("scores", "same", "along", "steadier", "for_class_three", "unsure")]
    assert all(scores.shape == (600,) and scores.isfinite().all() for scores in results)
    assert all(not torch.equal(left, right) for k, left in enumerate(results) for right in results[:k])


def test_the_page_shows_the_sentence_that_is_said(names: dict[str, Any]) -> None:
    with pytest.raises(heft.HeftError) as error:
        heft.score("tracin", names["model"], (names["x"], names["y"]), (names["xv"], names["yv"]))
    shown = re.search(r"print\(error\)  # (.*?) \.\.\.$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert shown
    assert str(error.value).startswith(shown[1])


def test_the_page_says_what_to_pass_for_each_need() -> None:
    rows = re.findall(r"^\| (`.*?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    needs = {need for method in heft.methods().values() for need in method.needs}
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == needs


@pytest.mark.slow
def test_the_first_score_of_a_process_warns_of_nothing() -> None:
    """torch itself warns of a function of its own where forward mode is used for the first time."""
    lines = [
        "import torch, heft",
        "from torch import nn",
        "model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))",
        "data = torch.randn(20, 4), torch.arange(20) % 3",
        "heft.score('ip', model, train=data, validation=data)",
        "heft.score('if_cg', model, train=data, validation=data)",
    ]
    command = [sys.executable, "-W", "error", "-c", "\n".join(lines)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow_scripts")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

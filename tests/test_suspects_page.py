"""The blocks of docs/suspects_from_files.md run one after the other, and print what the page shows."""

import re
import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from workspace import ROOT

from heft.__main__ import main
from heft.arguments.suspects import DEFAULTS, methods_for

PAGE = (ROOT / "docs" / "suspects_from_files.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def without_numbers(text: str) -> str:
    """How many are doubted may differ by one on another machine."""
    return re.sub(r"\d+", "#", text)


@pytest.mark.slow
def test_the_blocks_of_the_page_find_wrong_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    printed: list[str] = []
    for kind, block in BLOCK.findall(PAGE):
        if kind == "python":
            exec(compile(block, "suspects_from_files.md", "exec"), names)
        elif kind == "sh":
            for line in block.splitlines():
                assert main(shlex.split(line)[3:]) == 0
                printed.append(capsys.readouterr().out)
        else:
            assert without_numbers(printed[0]).startswith(without_numbers(block))
    assert [len(text.splitlines()) for text in printed] == [23, 7, 22]
    table = pd.read_csv("suspects.csv")
    assert table["id"][:100].str.slice(5).astype(int).lt(100).sum() > 85
    assert list(table.columns) == re.findall(r"`(\w+)`", PAGE.partition("in the columns ")[2])[: len(table.columns)]
    assert names["found"] > 85
    assert sum(suspect.row < 100 for suspect in names["by_embeddings"]) > 70
    assert names["scores"].shape == (1797,)


def test_the_page_has_a_line_for_each_method_and_the_default_ones() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?: \(by default\))?(?:, )?)+) \| (\w+) \|", PAGE, re.MULTILINE)
    for kind, default in DEFAULTS.items():
        cells = " ".join(cell for cell, of in rows if of == kind)
        assert set(re.findall(r"`(\w+)`", cells)) == set(methods_for(kind))
        assert f"`{default}` (by default)" in cells


def test_the_readme_names_the_page() -> None:
    assert "docs/suspects_from_files.md" in (ROOT / "README.md").read_text(encoding="utf-8")

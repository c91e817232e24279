"""The page on a person's tables says each option with its default, and the sentences that its mistakes give."""

import re
from pathlib import Path
from typing import Any

import pytest
from table_files import read, write
from workspace import ROOT

from heft.errors import HeftError
from heft.registry import find

PAGE = (ROOT / "docs/your_data.md").read_text(encoding="utf-8").partition("## Tables")[2].partition("\n## ")[0]


def test_the_page_says_each_option_and_its_default() -> None:
    rows = dict(re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]*) \|", PAGE, re.MULTILINE))
    said = {name: default for names, default in rows.items() for name in re.findall(r"`(\w+)`", names)}
    options = find("data/sources", "table").options
    assert said.keys() == options.keys()
    assert said["missing"] == ", ".join(options["missing"].default)
    assert said["max_categories"] == str(options["max_categories"].default)
    assert said["scaling"].strip("`") == options["scaling"].default


MISTAKES: dict[str, tuple[bytes, dict[str, Any]]] = {
    "no such column": (b"age,income\n1,a\n", {"target": "wage"}),
    "another encoding": (b"age,income\nZ\xfcrich,a\n", {}),
    "a row cut short": (b"age,income\n1,a\n2\n", {}),
    "a name twice": (b"age,age,income\n1,1,a\n", {}),
    "a target of numbers": (
        b"age,price\n" + b"".join(b"1,%f\n" % (0.5 + k * 92.5 / 4210) for k in range(4211)),
        {"target": "price"},
    ),
    "several labels": (b"age,genre\n1,drama\n2,comedy;drama\n", {"target": "genre"}),
    "one class": (b"age,income\n1,low\n2,low\n", {}),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_page_says_what_a_mistake_gives(tmp_path: Path, mistake: str) -> None:
    content, options = MISTAKES[mistake]
    with pytest.raises(HeftError) as error:
        read(write(tmp_path, content, "people.csv"), **{"target": "income", **options})
    (said,) = re.findall(rf"^\| {mistake} \| `(.*)` \|$", PAGE, re.MULTILINE)
    for part in said.split("[...]"):
        assert part.rstrip(")") in str(error.value).replace(f"{tmp_path}/", "")
    assert re.findall(r"^\| ([a-z ]+) \| `.*` \|$", PAGE, re.MULTILINE) == list(MISTAKES)

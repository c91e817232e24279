"""A person's own module is found beside the configuration, and none that Python would take in its place."""

from pathlib import Path

import pytest

from heft.errors import HeftError
from heft.own_module import find_module


def test_the_first_folder_that_has_the_module_gives_it(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "second/package").mkdir(parents=True)
    (tmp_path / "second/package/my_nets.py").touch()
    assert find_module("package.my_nets:build", [tmp_path / "first", tmp_path / "second"]) == (
        tmp_path / "second/package/my_nets.py"
    )
    assert find_module("elsewhere:build", [tmp_path / "first", tmp_path / "second"]) is None


def test_two_different_files_of_one_name_are_refused_and_two_copies_are_one(tmp_path: Path) -> None:
    for folder, text in (("first", "A = 1\n"), ("second", "A = 1\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "my_nets.py").write_text(text)
    roots = [tmp_path / "first", tmp_path / "second"]
    assert find_module("my_nets:build", roots) == tmp_path / "first/my_nets.py"
    (tmp_path / "second/my_nets.py").write_text("A = 2\n")
    with pytest.raises(
        HeftError, match=r'"my_nets:build" is in two places, .*first/my_nets.py and .*second/my_nets.py'
    ):
        find_module("my_nets:build", roots)


@pytest.mark.parametrize(
    ("name", "owner"), [("json", "Python's own module json"), ("numpy", "numpy"), ("train", "train")]
)
def test_a_file_that_python_would_not_take_is_refused(tmp_path: Path, name: str, owner: str) -> None:
    (tmp_path / f"{name}.py").touch()
    with pytest.raises(HeftError, match=rf"{name}.py has the name of .*{owner}.*, which Python takes; give it another"):
        find_module(f"{name}:build", [tmp_path])

"""The files and packages that a person's own module imports belong to its fingerprint."""

from pathlib import Path

import pytest
from looks import edit, fingerprint, write_package

from heft.own_module import MODULES_VARIABLE
from heft.workflow.planning import fingerprint as module


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "PACKAGE_ROOT", tmp_path)
    write_package(tmp_path)
    return tmp_path


@pytest.fixture
def own(package: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a person's models, outside the project."""
    root = tmp_path_factory.mktemp("own")
    monkeypatch.setenv(MODULES_VARIABLE, str(root))
    (root / "my_package").mkdir()
    (root / "my_package" / "__init__.py").write_text("WIDTH = 8\n")
    (root / "my_package" / "nets.py").write_text(
        "import yaml\nimport my_layers\nfrom heft import ip\nfrom . import heads\nfrom .bodies import body\n"
    )
    (root / "my_package" / "heads.py").write_text("head = 1\n")
    (root / "my_package" / "bodies.py").write_text("def body():\n    from my_package.parts import part\n")
    (root / "my_package" / "parts.py").write_text("part = 2\n")
    (root / "my_package" / "other.py").write_text("other = 3\n")
    (root / "my_layers.py").write_text("layer = 4\n")
    return root


def test_the_files_and_packages_that_an_own_module_imports_belong_to_it(own: Path) -> None:
    followed = fingerprint(own / "my_package" / "nets.py")
    of_project = {"heft", "heft.ip", "heft.kernels.products"}
    of_person = {
        "my_package/nets.py",
        "my_layers",
        *(f"my_package{name}" for name in ("", ".heads", ".bodies", ".parts")),
    }
    assert set(followed) == {"PyYAML", *of_project, *of_person}


@pytest.mark.parametrize("file", ["my_layers.py", "my_package/__init__.py", "my_package/parts.py"])
def test_an_edit_of_what_an_own_module_imports_changes_the_fingerprint(own: Path, file: str) -> None:
    before = fingerprint(own / "my_package" / "nets.py")
    (own / file).write_text("changed = True\n")
    edit(own / file, "True", "False")
    after = fingerprint(own / "my_package" / "nets.py")
    assert [name for name in before if before[name] != after[name]] == [
        file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    ]


def test_an_edit_beside_what_an_own_module_imports_changes_nothing(own: Path) -> None:
    before = fingerprint(own / "my_package" / "nets.py")
    edit(own / "my_package" / "other.py", "3", "4")
    assert fingerprint(own / "my_package" / "nets.py") == before

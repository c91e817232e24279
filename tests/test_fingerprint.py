"""An edit changes the fingerprints of what it reaches and of nothing else; comments and docstrings change none."""

from pathlib import Path

import pytest
from looks import edit, fingerprint, write_package

from heft.own_module import MODULES_VARIABLE
from heft.workflow.planning import fingerprint as module
from heft.workflow.planning.fingerprint import Look, has_numbers


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "PACKAGE_ROOT", tmp_path)
    write_package(tmp_path)
    return tmp_path


@pytest.fixture
def stage(package: Path) -> Path:
    """A stage script that imports a kernel, and of each kind what no number depends on."""
    heft = package / "heft"
    for room in ("scoring", "workflow/tracking/records", "workflow/results"):
        (heft / room).mkdir(parents=True)
    for name in ("errors", "faults", "artifacts", "atomic_files", "checksum", "scoring/memory", "workflow/places"):
        (heft / f"{name}.py").write_text("VALUE = 1\n")
    (heft / "workflow/stage.py").write_text("from heft.kernels.solvers import solve\nVALUE = 1\n")
    (heft / "workflow/tracking/records/__init__.py").write_text(
        "from heft.workflow.tracking.records.run import RecordedRun\n"
    )
    (heft / "workflow/tracking/records/run.py").write_text("class RecordedRun:\n    VALUE = 1\n")
    (heft / "workflow/results/trained.py").write_text("from heft.workflow.places import VALUE\nREAD = 1\n")
    (heft / "scoring/cost.py").write_text(
        "from heft.scoring.memory import VALUE\nfrom heft.errors import VALUE\nCOST = 1\n"
    )
    file = package / "stage.py"
    file.write_text(
        "from heft import artifacts, atomic_files, checksum, faults\n"
        "from heft.kernels.products import dot\n"
        "from heft.scoring.cost import COST\n"
        "from heft.workflow import stage\n"
        "from heft.workflow.results.trained import READ\n"
        "from heft.workflow.tracking.records import RecordedRun\n"
    )
    return file


def test_imports_are_followed_to_the_module_that_defines_a_name(package: Path) -> None:
    assert set(fingerprint(package / "score.py")) == {"score.py", "heft.ip", "heft.kernels.products"}


def test_an_edit_of_an_imported_module_changes_its_hash_alone(package: Path) -> None:
    before = fingerprint(package / "score.py")
    edit(package / "heft" / "kernels" / "products.py", "a * b", "b * a")
    after = fingerprint(package / "score.py")
    assert {name for name in before if before[name] != after[name]} == {"heft.kernels.products"}


def test_an_edit_of_a_sibling_changes_nothing(package: Path) -> None:
    before = fingerprint(package / "score.py")
    edit(package / "heft" / "kernels" / "solvers.py", "1 / a", "2 / a")
    assert fingerprint(package / "score.py") == before


def test_what_no_number_depends_on_is_not_followed_nor_what_it_imports(stage: Path) -> None:
    assert set(fingerprint(stage)) == {
        *("stage.py", "heft.kernels.products", "heft.scoring.cost", "heft.workflow.results.trained")
    }


@pytest.mark.parametrize(
    "file",
    [
        *("errors.py", "faults.py", "artifacts.py", "atomic_files.py", "checksum.py", "scoring/memory.py"),
        *("workflow/stage.py", "workflow/places.py", "workflow/tracking/records/run.py", "kernels/solvers.py"),
    ],
)
def test_an_edit_of_what_no_number_depends_on_changes_nothing(stage: Path, file: str) -> None:
    before = fingerprint(stage)
    edit(stage.parent / "heft" / file, "1", "2")
    assert fingerprint(stage) == before


@pytest.mark.parametrize(
    ("file", "module"),
    [
        ("kernels/products.py", "heft.kernels.products"),
        ("scoring/cost.py", "heft.scoring.cost"),
        ("workflow/results/trained.py", "heft.workflow.results.trained"),
    ],
)
def test_an_edit_of_what_numbers_are_made_of_changes_its_hash(stage: Path, file: str, module: str) -> None:
    before = fingerprint(stage)
    path = stage.parent / "heft" / file
    edit(path, path.read_text(), path.read_text() + "EDITED = 1\n")
    after = fingerprint(stage)
    assert [name for name in before if before[name] != after[name]] == [module]


def test_each_module_without_numbers_is_there() -> None:
    for name in (*module.WITHOUT_NUMBERS, module.WITH_NUMBERS):
        place = module.PACKAGE_ROOT.joinpath(*name.split("."))
        assert place.is_dir() or place.with_suffix(".py").is_file(), name


@pytest.mark.parametrize("script", ["prepare", "train", "score_members", "evaluate", "report"])
def test_of_the_workflow_a_stage_follows_what_reads_results_alone(script: str) -> None:
    modules = set(fingerprint(module.PACKAGE_ROOT / f"{script}.py"))
    without = {name for name in modules if not has_numbers(name)}
    assert (without, len(modules) > 3) == (set(), True)
    of_workflow = {name for name in modules if name.startswith("heft.workflow.")}
    assert bool(of_workflow) == (script in ("score_members", "report"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Products."""', '"""Other words."""'),
        ("def dot", "# a comment\ndef dot"),
        ("a * b", "a  *  b"),
        ("    return", '    """Doc."""\n    return'),
    ],
)
def test_comments_docstrings_and_layout_change_nothing(package: Path, old: str, new: str) -> None:
    before = fingerprint(package / "score.py")
    edit(package / "heft" / "kernels" / "products.py", old, new)
    assert fingerprint(package / "score.py") == before


def test_imports_for_type_checkers_alone_do_not_count(package: Path) -> None:
    file = package / "heft" / "typed.py"
    file.write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from heft.kernels import dot\n")
    assert Look(package).imported_modules(file) == {}


def test_versions_of_the_numeric_packages_belong_to_it(package: Path) -> None:
    import numpy

    assert fingerprint(package / "score.py", packages=["numpy"])["numpy"] == numpy.__version__


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


def test_two_own_files_of_one_name_are_told_apart(own: Path) -> None:
    (own / "nets.py").write_text("other = 5\n")
    assert {"nets.py", "my_package/nets.py"} <= set(fingerprint(own / "nets.py", own / "my_package" / "nets.py"))


def test_one_look_sees_each_file_as_it_was_at_first(package: Path) -> None:
    """Jobs that are planned in one run never differ in what they saw."""
    look = Look(package)
    before = look.fingerprint(package / "score.py")
    edit(package / "heft" / "kernels" / "products.py", "a * b", "a + b")
    assert look.fingerprint(package / "score.py", packages=()) == {
        name: before[name] for name in ("heft.ip", "heft.kernels.products", "score.py")
    }
    assert Look(package).fingerprint(package / "score.py")["heft.kernels.products"] != before["heft.kernels.products"]


def test_a_renamed_import_of_a_package_is_followed_to_its_module(package: Path) -> None:
    (package / "heft" / "kernels" / "__init__.py").write_text("from heft.kernels.products import dot as product\n")
    (package / "heft" / "ip.py").write_text("from heft.kernels import product\n")
    assert set(fingerprint(package / "score.py")) == {"score.py", "heft.ip", "heft.kernels.products"}

"""The library installs as a wheel, the workflow in place; a moved or copied project runs no code of its old folder."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from house import LIBRARY, imported_packages, modules, room_of
from workspace import ROOT, TINY, Workspace

from heft.registry import declarations

INSTALL = ("-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--no-build-isolation")
# What is imported under another name than it is installed by.
PACKAGES = {"sklearn": "scikit-learn", "PIL": "pillow", "yaml": "pyyaml"}
# Come with a package that is named: rich with Snakemake's plugin of that name.
BROUGHT = {"markupsafe", "rich", "sqlalchemy", "snakemake_interface_logger_plugins"}


def project_table() -> dict[str, list[str]]:
    """{extra, or `` for the library itself: names of the packages that it asks for}."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {"": project["dependencies"], **project["optional-dependencies"]}
    return {extra: [line.partition(">=")[0].lower() for line in lines] for extra, lines in asked.items()}


def imported_by(rooms: set[str]) -> set[str]:
    """The packages that the files of the rooms import, as pip names them."""
    imported = {name for file in modules() if room_of(file) in rooms for name in imported_packages(file)}
    imported -= {*sys.stdlib_module_names, "heft", "snakemake", *BROUGHT}
    return {PACKAGES.get(name, name.replace("_", "-")) for name in imported}


def test_each_extra_asks_for_exactly_what_its_rooms_import() -> None:
    asked, rooms = project_table(), {room_of(file) for file in modules()}
    workflow = {room for room in rooms if room.startswith("workflow/")}
    of_encoders = {*asked["encoders"]}
    # Only the source `fashion_mnist`, where it downloads, augmentations, encoders and networks by name need torchvision
    # or timm; only a picture in a report needs pillow.
    core = imported_by(rooms - workflow - {"reporting"}) - of_encoders - {"pillow"}
    assert core == set(asked[""])
    assert imported_by({"reporting", "data"}) - core - of_encoders == set(asked["report"])
    needed = [declared.fields["packages"] or {} for declared in declarations("data/encoders").values()]
    assert {name for packages in needed for name in packages.values()} == of_encoders
    assert asked["timm"] == ["timm"]
    assert imported_by(workflow) - core - set(asked["report"]) <= set(asked["workflow"])


def test_versions_are_pinned_in_one_place_and_the_library_takes_the_pinned_ones() -> None:
    files = [ROOT / f"requirements{of}.txt" for of in ("", "-encoders", "-dev")]  # the others for what few runs need
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    pinned = dict(re.findall(r"^([\w-]+)==([\d.]+)", text.lower(), re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    bounds = dict(line.lower().split(">=") for line in lines if ">=" in line)
    assert bounds
    assert {name: pinned[name].startswith(bound) for name, bound in bounds.items()} == dict.fromkeys(bounds, True)
    assert all("==" not in line for line in lines)


def environment(folder: Path) -> Path:
    """The Python of a new environment that sees the packages of this one, but no Heft."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    seen = [place for place in sys.path if place.endswith("site-packages")]
    (packages / "seen.pth").write_text("\n".join(seen), encoding="utf-8")
    return folder / "bin" / "python"


def run(python: Path, *arguments: str, folder: Path, expect: int = 0) -> str:
    """What a command printed on either stream, without anything that this shell says of modules."""
    done = subprocess.run(
        [str(python), *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == expect, done.stdout
    return done.stdout


@pytest.mark.slow
def test_the_wheel_holds_the_library_whole_and_runs_the_example_of_its_page(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in ("pyproject.toml", "README.md", "LICENSE", "workflow_scripts"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        source.mkdir(exist_ok=True)
        copy(ROOT / name, source / name)
    python = environment(tmp_path / "environment")
    run(python, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", ".", "-w", "..", folder=source)
    (wheel,) = tmp_path.glob("heft-*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    own = {
        f"heft/{file.relative_to(LIBRARY)}"
        for file in LIBRARY.rglob("*")
        if file.suffix in (".py", ".j2", ".css", ".js")
    }
    assert own <= held
    assert {name.partition("/")[0] for name in held} == {"heft", "snakemake_logger_plugin_heft"}

    run(python, *INSTALL, str(wheel), folder=tmp_path)
    place = run(python, "-c", "import heft; print(heft.__file__)", folder=tmp_path)
    assert place.startswith(str(tmp_path / "environment"))
    for page in ROOT.glob("docs/from_python.md"):
        run(python, str(ROOT / "tests" / "run_page.py"), str(page), folder=tmp_path)


@pytest.mark.slow
def test_installed_in_place_a_bare_snakemake_runs_and_a_copy_is_refused_in_one_sentence(tmp_path: Path) -> None:
    project, python = Workspace(tmp_path / "project", TINY).folder, environment(tmp_path / "environment")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, project)
    dry_run = ("-m", "snakemake", "--configfile", "small.yaml", "-n")
    assert "invalid choice: 'heft'" in run(python, *dry_run, folder=project, expect=2)
    run(python, *INSTALL, "-e", ".", folder=project)
    assert "check_model" in run(python, *dry_run, folder=project)

    copied = Path(shutil.copytree(project, tmp_path / "copy"))
    *_, refused = run(python, *dry_run, folder=copied, expect=1).splitlines()
    assert refused.startswith(
        f"snakemake_logger_plugin_heft in {project}/workflow_scripts/snakemake_logger_plugin_heft "
    )
    assert f"`pip install --no-deps -e .` in {copied}" in refused

    moved = project.rename(tmp_path / "moved")
    run(python, *INSTALL, "-e", ".", folder=moved)
    assert "check_model" in run(python, *dry_run, folder=moved)
    job = ("workflow_scripts/job.py", "no_such_script.py", "", "")
    assert "no_such_script.py" in run(python, *job, folder=copied, expect=1)
    assert run(python, "-P", *job, folder=copied, expect=1).startswith("job: heft is another project's (")

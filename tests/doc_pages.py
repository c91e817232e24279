"""The examples of the pages on extending: one by one, and all in one workspace."""

import ast
import re
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from workspace import ROOT, Workspace

from heft.errors import HeftError
from heft.registry import added_folder
from heft.workflow.planning.plan import load_plan

PAGES = (
    *("add_a_method", "add_a_data_source", "add_a_modality", "add_a_model", "add_an_action"),
    *("add_an_encoder", "add_an_objective", "add_a_measure", "add_further_models", "add_an_ensemble", "training"),
)
CONFIGURATION = "mine.yaml"
# Page, changes of its first experiment, and what is said of them.
KNOWN: list[tuple[str, dict[str, Any], str]] = [
    ("add_a_method", {"methods": ["entropi"]}, 'did you mean "entropy"?'),
    ("add_a_method", {"methods": [{"entropy": {"temperatur": 1.0}}]}, 'did you mean "temperature"?'),
    ("add_a_data_source", {"data": {"source": "win"}}, 'did you mean "wine"?'),
    ("add_an_encoder", {"encoder": "profile"}, 'did you mean "profiles"?'),
    ("add_an_encoder", {"encoder": {"profiles": {"size": 1}}}, "size is 1; it must be at least 2"),
    ("add_a_model", {"model": "botleneck"}, 'did you mean "bottleneck"?'),
    ("add_an_action", {"actions": ["fad"]}, 'did you mean "fade"?'),
    ("add_an_action", {"actions": [{"fade": {"powr": 1.0}}]}, 'did you mean "power"?'),
    ("add_an_objective", {"objective": "focal_los"}, 'did you mean "focal_loss"?'),
    ("add_an_objective", {"objective": {"focal_loss": {"gama": 1.0}}}, 'did you mean "gamma"?'),
    ("add_a_measure", {"measure": "worst_class"}, 'did you mean "worst_class_accuracy"?'),
    ("add_an_ensemble", {"ensembles": [{"kind": "shrunk", "sizes": [2]}]}, 'did you mean "shrunken"?'),
    ("training", {"training": {"optimiser": "lio"}}, 'did you mean "lion"?'),
    (
        "add_an_ensemble",
        {"ensembles": [{"kind": "shrunken", "sizes": [2], "shrink": 1.0}]},
        "shrink is 1.0; it must be between 0 and 1",
    ),
]
_BLOCK = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HOUSE = "workflow_scripts/heft/"


def files_of(page: str) -> dict[str, str]:
    """The files that a page holds, its configuration among them, by the name that stands above each."""
    return dict(_BLOCK.findall((ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")))


def definitions_of(page: str) -> dict[str, dict[str, Any]]:
    """The experiments of a page's configuration, for one seed, each with the page's defaults in it."""
    text = files_of(page)[CONFIGURATION]
    assert text.count("seeds: [0, 1]") == 1
    settings = yaml.safe_load(text.replace("seeds: [0, 1]", "seeds: [0]"))
    definitions, defaults = settings["definitions"], settings.get("defaults", {})
    assert settings["experiments"] == list(definitions)
    assert not any(defaults.keys() & definition.keys() for definition in definitions.values())
    return {name: {**defaults, **definition} for name, definition in definitions.items()}


def workspace_of_all(folder: Path) -> Workspace:
    """A copy of the workflow with the files of all pages, and all their experiments."""
    definitions = {name: definition for page in PAGES for name, definition in definitions_of(page).items()}
    assert len(definitions) == sum(len(definitions_of(page)) for page in PAGES)
    workspace = Workspace(folder, {"experiments": list(definitions), "definitions": definitions})
    written = {name: content for page in PAGES for name, content in files_of(page).items() if name != CONFIGURATION}
    for name, content in written.items():
        assert not (folder / name).exists(), f"{name} is there without the page"
        (folder / name).write_text(content, encoding="utf-8")
    return workspace


def known_names(page: str, folder: Path, changes: Mapping[str, Any]) -> str:
    """What is said of a page's first experiment with `changes`, where no file of another page is there."""
    raw = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    name, definition = next(iter(definitions_of(page).items()))
    asked = {"experiments": [name], "definitions": {name: {**definition, **changes}}}
    with ExitStack() as stack:
        for file, content in files_of(page).items():
            path = folder / page / file
            if not path.parent.exists() and file.startswith(_HOUSE):
                stack.enter_context(added_folder(str(Path(file).parent.relative_to(_HOUSE)), path.parent))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        with pytest.raises(HeftError) as caught:
            load_plan({**raw, **asked}, [folder / page / CONFIGURATION])
    return str(caught.value)


def imported_from_heft(source: str) -> set[Path]:
    """The files of the house that a source imports, each as it would stand in a project."""
    modules = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom) and node.module}
    return {Path("workflow_scripts", *module.split(".")) for module in modules if module.split(".")[0] == "heft"}


def table_of(workspace: Workspace, experiment: str) -> tuple[pd.DataFrame, str]:
    folder = workspace.folder / "reports" / experiment
    return pd.read_csv(folder / "comparison.csv"), (folder / "index.html").read_text(encoding="utf-8")

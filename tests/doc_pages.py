"""The files of a page's example, in a workspace."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from workspace import ROOT, Workspace

BLOCK = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def workspace_of(page: str, folder: Path) -> Workspace:
    """A copy of the workflow with the files of a page, and its mine.yaml, for one seed, as configuration."""
    files = files_of(page)
    workspace = Workspace(folder, settings_of(files.pop("mine.yaml")))
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return workspace


def files_of(page: str) -> dict[str, str]:
    return dict(BLOCK.findall((ROOT / "docs" / page).read_text(encoding="utf-8")))


def settings_of(text: str) -> dict[str, Any]:
    """A page's configuration, for one seed."""
    assert text.count("seeds: [0, 1]") == 1
    settings: dict[str, Any] = yaml.safe_load(text.replace("seeds: [0, 1]", "seeds: [0]"))
    return settings


def known_names(workspace: Workspace, key: str, value: object) -> str:
    """What is said of a name that does not exist: the names that do."""
    settings = yaml.safe_load((workspace.folder / "small.yaml").read_text())
    definition = settings["definitions"][settings["experiments"][0]]
    group = definition if key != "source" else definition["data"]
    kept, group[key] = dict(group), value
    workspace.configure(settings)
    said = workspace.run("-n", expect=1)
    group.clear()
    group.update(kept)
    workspace.configure(settings)
    return said


def table_of(workspace: Workspace, experiment: str) -> tuple[pd.DataFrame, str]:
    folder = workspace.folder / "reports" / experiment
    return pd.read_csv(folder / "comparison.csv"), (folder / "index.html").read_text(encoding="utf-8")

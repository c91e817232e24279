"""Every path of results stands once: as the rules write it, and in no other file of the workflow."""

import re
from pathlib import Path

from house import LIBRARY, ROOT

from heft.workflow.planning import paths

RULES = "\n".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / "rules").glob("*.smk")))
WRITTEN = set(re.findall(r"""["']((?:results|reports)/\{e\}[^"']*)["']""", RULES))
NAMED = [
    value for value in vars(paths).values() if isinstance(value, str) and value.startswith(("results/", "reports/"))
]


def test_each_path_is_one_that_a_rule_writes_or_a_folder_of_some() -> None:
    assert len(NAMED) > 10
    for path in [*NAMED, *paths.SPLITS.values()]:
        assert path in WRITTEN or any(other.startswith(f"{path}/") for other in WRITTEN), path


def test_no_other_file_of_the_workflow_spells_a_path_of_results() -> None:
    files = [file for file in (LIBRARY / "workflow").rglob("*.py") if file.name not in ("paths.py", "unplanned.py")]
    spelled = re.compile(r"""["'](?:results|reports)/\{""")
    assert spelled.search((LIBRARY / "workflow" / "planning" / "paths.py").read_text(encoding="utf-8"))
    assert [file.name for file in files if spelled.search(file.read_text(encoding="utf-8"))] == []


def test_states_seed_and_kind_are_those_of_the_path() -> None:
    folder = paths.AUXILIARY.format(e="mine", s=12, kind="folds", g=3)
    assert paths.states_in(folder) == [f"{folder}/checkpoints.json", f"{folder}/states.safetensors"]
    assert paths.seed_of(f"{folder}/record.jsonl") == 12
    assert paths.kind_of(Path(folder)) == "folds"

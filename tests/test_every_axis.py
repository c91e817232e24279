"""Whatever Heft can be extended by is one new file: one of each room, together in one experiment, up to its report."""

from pathlib import Path

import pandas as pd
import pytest
from axis_files import NEW
from workspace import PARTS, ROOT, Workspace

from heft.registry import added_folder, declarations
from heft.rooms import DECORATORS

DATA = {"source": {"tones": {"spread": 0.4}}, "train": 90, "validation": 40, "test": 60}
SETTINGS = {
    "experiments": ["every_axis", "encoded"],
    "definitions": {
        # By itself: an encoder comes before training, where augmentation would change what it has seen.
        "encoded": {
            "seeds": [0],
            "data": DATA,
            "encoder": {"spectrum": {"lowest": 1}},
            "model": "logistic",
            "training": {"epochs": 2},
            "methods": ["random"],
            "baselines": [],
            "ensembles": [],
            "fractions": [0.2],
        },
        "every_axis": {
            "seeds": [0, 1],
            "data": DATA,
            "model": {"wave_net": {"width": 3}},
            "training": {
                "epochs": 2,
                "learning_rate": 0.01,
                "augmentation": [{"late": {"most": 3}}],
                "optimiser": {"signs": {"shrink": 0.01}},
                "schedule": {"powers": {"base": 0.6}},
            },
            "checkpoints": {"spaced": 2, "early": 1},
            "methods": ["random", "ip", {"unseen_loss": {"partials": 4}}],
            "baselines": ["damped", {"damped": {"factor": 0.5}}],
            "ensembles": [{"kind": "swollen", "sizes": [2], "growth": 0.1, "methods": ["unseen_loss"]}],
            "objective": {"smoothed_loss": {"smoothing": 0.2}},
            "actions": ["remove", {"spare": {"every": 3}}],
            "measure": {"regret": {"above": 0.1}},
            "fractions": [0.2],
        },
    },
}
# What the page prints of each new file: its title, its own words, or the name of the model, which has neither.
ON_THE_PAGE = {
    "data/modalities": "<dt>duration</dt><dd>3 s</dd>",
    "data/sources": "Drawn by its own file",
    "data/encoders": "models see 12 features of each example, from Fourier, in its own file",
    "models": "wave_net",
    "auxiliary": "further models without a third",
    "methods": "Unseen loss",
    "ensembles": "swollen weights",
    "objectives": "lowest validation smoothed loss",
    "curation": "Spare some",
    "baselines": "Damped",
    "training/augmentations": "late",
    "training/optimisers": "signs",
    "training/schedules": "powers",
    "evaluation/metrics": "Mean regret",
}
NEW_FILES = {f"workflow_scripts/heft/{room}/{name}.py": text for room, (name, text, _) in NEW.items()}
UNSEEN, SPARE = "unseen_loss-partials_4", "spare-every_3"
OF_METHODS = {"random", "ip", UNSEEN, f"{UNSEEN}__swollen-growth_0.1__2"}
OF_BASELINES = {"damped", "damped-factor_0.5"}


def files_of(folder: Path) -> dict[str, bytes]:
    """The content of each file of the project's parts, by its path in the folder."""
    roots = [folder / part for part in PARTS]
    files = [file for root in roots for file in (root.rglob("*") if root.is_dir() else [root]) if file.is_file()]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files if file.parent.name != "__pycache__"}


def test_there_is_a_new_file_for_each_room() -> None:
    assert set(NEW) == set(ON_THE_PAGE) == set(DECORATORS)


@pytest.mark.parametrize("room", NEW)
def test_a_new_file_is_found_in_its_room_with_its_options(room: str, tmp_path: Path) -> None:
    name, text, options = NEW[room]
    kind = NEW["auxiliary"]
    (tmp_path / "auxiliary").mkdir()
    (tmp_path / "auxiliary" / f"{kind[0]}.py").write_text(kind[1], encoding="utf-8")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / f"{name}.py").write_text(text, encoding="utf-8")
    before = set(declarations(room))
    with added_folder("auxiliary", tmp_path / "auxiliary"), added_folder(room, tmp_path / "new"):
        declared = declarations(room)
    assert set(declared) == before | {name}
    assert declared[name].room == room
    assert set(declared[name].options) - set(declared[name].shared) == options


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the project with the new files, run to the report."""
    workspace = Workspace(tmp_path_factory.mktemp("every_axis"), SETTINGS)
    for path, text in NEW_FILES.items():
        (workspace.folder / path).write_text(text, encoding="utf-8")
    workspace.run()
    return workspace


def table(workspace: Workspace, name: str) -> pd.DataFrame:
    return pd.read_csv(workspace.folder / "reports" / "every_axis" / name, keep_default_na=False, na_values=[""])


@pytest.mark.slow
def test_each_variant_is_retrained_with_the_new_action_and_the_new_measure_chooses(finished: Workspace) -> None:
    rows, long = table(finished, "comparison.csv"), table(finished, "metrics.csv")
    assert set(rows["variant"]) == {"none", *OF_BASELINES, *OF_METHODS}
    treated = rows[rows["variant"].isin(OF_METHODS)]
    for _, of_variant in treated.groupby(["seed", "variant"]):
        assert of_variant.set_index("action")["n_removed"].to_dict() == {"remove": 18, SPARE: 12}
    assert len(treated) == 2 * len(OF_METHODS) * 2
    assert rows["test_accuracy"].notna().all()
    regret, validation = (
        long[long["metric"] == metric].set_index(["seed", "variant", "action"])["value"]
        for metric in ("regret", "validation_smoothed_loss")
    )
    assert len(regret) == len(validation) == len(rows)
    assert regret.between(0, 1).all()
    assert (validation > 0).all()
    chosen = treated.set_index(["seed", "variant", "action"])["chosen"]
    for key, of_variant in chosen.groupby(["seed", "variant"]):
        assert of_variant.idxmax() == validation.loc[of_variant.index].idxmin(), key
        assert of_variant.sum() == 1
    untreated = rows[~rows["variant"].isin(OF_METHODS)]
    assert untreated["chosen"].all()


@pytest.mark.slow
def test_the_page_speaks_of_each_new_file(finished: Workspace) -> None:
    pages = [finished.folder / "reports" / name / "index.html" for name in ("every_axis", "encoded")]
    page = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert {room: text for room, text in ON_THE_PAGE.items() if text not in page} == {}


@pytest.mark.slow
def test_nothing_is_left_to_do_and_no_other_file_is_edited(finished: Workspace) -> None:
    assert finished.plan() == []
    there, before = files_of(finished.folder), files_of(ROOT)
    assert {name for name in before if there.get(name) != before[name]} == set()
    assert set(there) - set(before) == set(NEW_FILES)

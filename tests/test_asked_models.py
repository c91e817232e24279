"""Which further models a method asks for, and in which groups they are trained, by what the kinds' files declare."""

from pathlib import Path

import pytest
from test_config import changed, load

from heft.auxiliary.asked import asks_for_runs, models_asked, models_each
from heft.auxiliary.kinds import Kind, kinds, kinds_for
from heft.errors import HeftError
from heft.registry import added_folder, declarations, find
from heft.workflow.planning.auxiliary import checkpoint_settings, continued_files, fine_tuning_of, kept

METHOD = '''"""needy: a method."""

@method(formula="f", paper="p", predicts="x", needs=("subsets",), ensemble=True)
def needy(context: Context) -> Tensor: ...
'''


@pytest.mark.parametrize(
    ("method", "options", "runs", "members", "asked"),
    [
        ("ip", {}, "", 1, {}),
        ("ip", {}, "seeds", 6, {"seeds": 6}),
        ("ip", {}, "", 6, {}),  # members that are changes of the trained model need no further one
        ("random", {}, "seeds", 6, {}),
        ("confident_learning", {}, "", 4, {"folds": 5}),
        ("confident_learning", {}, "seeds", 4, {"folds": 20}),  # and no run of the member itself
        ("trusted_loss", {}, "seeds", 4, {"fine_tunes": 4, "seeds": 4}),
        ("trak", {"models": 3}, "", 1, {"subsets": 3}),
        ("trak", {"models": 3}, "seeds", 2, {"subsets": 6}),
        ("trak", {}, "", 1, {"subsets": 5}),
    ],
)
def test_a_method_asks_for_models_by_its_needs_its_options_and_the_ensemble(
    method: str, options: dict[str, int], runs: str, members: int, asked: dict[str, int]
) -> None:
    assert models_asked(find("methods", method), options, runs, members) == asked


def test_groups_hold_each_number_once_and_leave_out_the_trained_model() -> None:
    seeds, folds = kinds()["seeds"], kinds()["folds"]
    assert [seeds.numbers(group) for group in seeds.groups(7)] == [[1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert [folds.numbers(group) for group in folds.groups(10)] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    for kind in kinds().values():
        numbers = [number for group in kind.groups(13) for number in kind.numbers(group)]
        assert len(set(numbers)) == len(numbers) >= 12
        for group in kind.groups(13):
            assert {kind.group_of(number) for number in kind.numbers(group)} == {group}


def test_every_need_is_served_by_one_kind_and_only_what_continues_or_is_the_run_asks_for_runs() -> None:
    needs = [kind.need for kind in kinds().values() if kind.need]
    assert len(set(needs)) == len(needs)
    assert [list(kinds_for([need])) for need in needs] == [[name] for name, kind in kinds().items() if kind.need]
    assert [need for need in needs if asks_for_runs([need])] == ["fine_tuned"]
    assert asks_for_runs(["dynamics"])


def test_a_method_without_the_option_that_says_how_many_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "needy.py").write_text(METHOD)
    with (
        added_folder("methods", tmp_path),
        pytest.raises(HeftError, match="needy needs subsets, but has no option mod"),
    ):
        models_each(kinds()["subsets"], declarations("methods")["needy"], {})


def test_a_kind_that_goes_on_from_another_has_one_model_a_member(tmp_path: Path) -> None:
    (tmp_path / "twins.py").write_text(
        '@auxiliary(gives="x", need="twins", models=2, continues="seeds")\nclass Twins: ...\n'
    )
    with (
        added_folder("auxiliary", tmp_path),
        pytest.raises(HeftError, match="continues seeds has one model a member, n"),
    ):
        kinds()
    assert isinstance(kinds()["folds"], Kind)


def test_what_goes_on_reads_the_run_of_its_number() -> None:
    def folder(group: int) -> str:
        (file, _) = continued_files("e", "0", "fine_tunes", group)
        return file

    assert folder(0) == "results/e/seed0/checkpoints/checkpoints.json"
    assert folder(4) == "results/e/seed0/auxiliary/seeds/group0/checkpoints.json"
    assert folder(5) == "results/e/seed0/auxiliary/seeds/group1/checkpoints.json"
    assert continued_files("e", "0", "folds", 1) == []


def test_states_are_kept_and_settings_concern_a_kind_as_it_declares() -> None:
    ensembles = [{"kind": "checkpoints", "sizes": [3]}, {"kind": "gaussian", "sizes": [2]}]
    raw = changed("definitions.digits", {"methods": ["aum", "trusted_loss"], "ensembles": ensembles})
    raw["definitions"]["digits"]["checkpoints"] = {"final": "best"}
    experiment = load(raw | {"experiments": ["digits"]}).experiments["digits"]
    roles = ["final", "spaced", "early", "best", "last"]
    assert kept(experiment) == {"roles": [*roles, "every"], "latest": 3}
    assert kept(experiment, "seeds") == {"roles": roles, "latest": 0}
    assert kept(experiment, "folds") == {"roles": ["final"], "latest": 3}
    finals = {kind: checkpoint_settings(experiment, kind)["final"] for kind in ("", "folds", "fine_tunes")}
    assert finals == {"": "best", "folds": "best", "fine_tunes": "last"}
    assert [bool(fine_tuning_of(experiment, kind)) for kind in ("fine_tunes", "folds")] == [True, False]

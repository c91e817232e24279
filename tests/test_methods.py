"""Every registered method passes one battery; each formula is checked against an independent one in float64."""

from pathlib import Path

import pytest
import torch
from attribution_cases import N_TRAIN, Case, make_case
from method_cases import refitted, scores, validation_loss

from heft.declaration import read_declaration
from heft.errors import HeftError
from heft.registry import added_folder, declarations

METHODS = sorted(declarations("methods"))


@pytest.fixture(scope="module")
def case() -> Case:
    return make_case("mlp")


@pytest.mark.parametrize("name", METHODS)
def test_a_method_gives_one_finite_score_per_example_and_repeats_itself(name: str, case: Case) -> None:
    first = scores(name, case)
    assert first.shape == (N_TRAIN,)
    assert torch.isfinite(first).all()
    assert first.unique().numel() > 1
    assert torch.equal(first, scores(name, case))


# The case is trained on all examples at once, which forgets nothing; test_run sees it on real data.
@pytest.mark.parametrize("name", [name for name in METHODS if name not in ("random", "forgetting")])
def test_low_scores_are_the_wrong_labels(name: str, case: Case) -> None:
    from heft.evaluation.detection import detection_quality

    # Its kernel cannot tell 40 examples apart where the model has fitted them.
    case = make_case("logistic") if name == "trak" else case
    wrong = (case.train.labels != case.true_labels).numpy()
    assert detection_quality(scores(name, case).numpy(), wrong)["noise_auroc"] > 0.6


@pytest.mark.parametrize("name", METHODS)
def test_a_method_reads_only_what_it_declares(name: str, case: Case) -> None:
    declared = declarations("methods")[name]
    needs = declared.fields["needs"]
    empty = {"final": {}, "spaced": (), "early": (), "validation": None, "true_labels": None}
    changes = {key: value for key, value in (empty | {"dynamics": None}).items() if key not in needs}
    further = {need: models for need, models in case.context().auxiliary.items() if need in needs}
    context = case.context(**changes, auxiliary=further)
    assert torch.equal(declared.load()(context), scores(name, case))


@pytest.mark.parametrize("name", METHODS)
def test_a_declaration_says_formula_paper_and_meaning(name: str) -> None:
    declared = declarations("methods")[name]
    assert set(declared.fields) >= {"formula", "paper", "predicts", "needs", "ensemble", "title"}
    assert all(declared.fields[part].endswith(".") for part in ("predicts", "assumes", "cost", "memory", "fails"))
    assert declared.details
    assert declared.docstring.startswith(f"{name}: ")
    assert declared.fields["formula"].startswith("s_i")


@pytest.mark.parametrize(("removed", "slope"), [(0.01, 1.0), (1.0, 1.2)])
def test_if_cg_predicts_leaving_one_out_with_slope_one_on_a_convex_model(removed: float, slope: float) -> None:
    """Slope, not only order: a wrong scale or sign would show.

    Exactly 1 for a small part of an example's weight; more for a whole one among 40, which moves the curvature.
    """
    case, decay = make_case("logistic"), 0.5
    weights = torch.ones(N_TRAIN, dtype=torch.float64)
    base = refitted(case, weights, decay)
    context = case.context(final=base, weight_decay=decay)
    predicted = declarations("methods")["if_cg"].load()(context, damping=1e-6, tolerance=1e-8) / N_TRAIN
    before, changes = validation_loss(case, base), []
    for index in range(N_TRAIN):
        left = weights.clone()
        left[index] -= removed
        changes.append((validation_loss(case, refitted(case, left, decay)) - before) / removed)
    change = torch.stack(changes)
    assert float((predicted @ change) / (predicted @ predicted)) == pytest.approx(slope, abs=0.03)
    assert torch.corrcoef(torch.stack([change, predicted]))[0, 1] > 0.98


def test_confident_learning_refuses_unknown_qualities(case: Case) -> None:
    with pytest.raises(HeftError, match=r'quality is "entropy"; .*Known: confidence_weighted_entropy, '):
        scores("confident_learning", case, quality="entropy")
    with pytest.raises(HeftError, match="adjusted is true"):
        scores("confident_learning", case, quality="confidence_weighted_entropy", adjusted=True)


def test_the_oracle_puts_every_wrong_label_first_and_breaks_ties_by_seed(case: Case) -> None:
    wrong = case.train.labels != case.true_labels
    load = declarations("methods")["oracle"].load()
    orders = [load(case.context(seed=seed)).argsort() for seed in (0, 1)]
    for order in orders:
        assert wrong[order[: int(wrong.sum())]].all()
    assert not torch.equal(*orders)


def test_random_is_drawn_afresh_per_seed(case: Case) -> None:
    load = declarations("methods")["random"].load()
    assert not torch.equal(load(case.context(seed=0)), load(case.context(seed=1)))


NEW_METHOD = '''"""gradient_free: the index, backwards."""

import torch

from heft.methods.context import Context
from heft.methods.declare import method


@method(formula="s_i = -i", paper="none", predicts="Nothing.", needs=(), ensemble=False)
def gradient_free(context: Context, *, scale: float = 1.0) -> torch.Tensor:
    """Scores [n_train]."""
    return -scale * torch.arange(len(context.train.labels), dtype=torch.float64)
'''


def test_a_new_method_is_one_file(tmp_path: Path, case: Case) -> None:
    """The registry, the configuration's schema and its check all know it, without an edit elsewhere."""
    from heft.workflow.configuration.settings import load_configuration

    (tmp_path / "gradient_free.py").write_text(NEW_METHOD)
    raw = {"experiments": ["e"], "definitions": {"e": {"methods": ["ip", {"gradient_free": {"scale": 2.0}}]}}}
    with pytest.raises(HeftError, match="gradient_free"):
        load_configuration(raw)
    with added_folder("methods", tmp_path):
        load_configuration(raw)
        declaration = declarations("methods")["gradient_free"]
    assert declaration.summary == "the index, backwards."
    assert declaration.load()(case.context(), scale=2.0)[3] == -6.0
    assert "gradient_free" not in declarations("methods")


def test_a_file_whose_method_has_another_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(NEW_METHOD)
    with pytest.raises(ValueError, match="named gradient_free; expected other"):
        read_declaration(tmp_path / "other.py", "methods")


def test_a_class_is_registered_by_the_name_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "fine_tunes.py"
    file.write_text(
        '"""fine_tunes: a kind."""\n\n@auxiliary(gives="it", need="fine_tuned")\nclass FineTunes:\n    """One."""\n'
    )
    declaration = read_declaration(file, "auxiliary")
    assert declaration is not None
    assert (declaration.name, declaration.defined, declaration.fields["need"]) == (
        "fine_tunes",
        "FineTunes",
        "fine_tuned",
    )
    file.write_text('@auxiliary(gives="it", need="fine_tuned")\nclass Tunes: ...\n')
    with pytest.raises(ValueError, match="named Tunes; expected FineTunes"):
        read_declaration(file, "auxiliary")

"""Every registered method passes one battery; each formula is checked against an independent one in float64."""

from pathlib import Path

import pytest
import torch
from attribution_cases import N_TRAIN, Case, inner, make_case
from test_kernels import dense_gauss_newton

from heft.declaration import read_declaration
from heft.errors import HeftError
from heft.kernels.batch import Batch
from heft.kernels.curvature.curvature_operator import flatten
from heft.methods.context import Dynamics
from heft.registry import added_folder, declarations, find
from heft.training.dynamics import predict

METHODS = sorted(declarations("methods"))


@pytest.fixture(scope="module")
def case() -> Case:
    return make_case("mlp")


def scores(name: str, case: Case, **options: object) -> torch.Tensor:
    return find("methods", name).configured(options)(case.context())


@pytest.mark.parametrize("name", METHODS)
def test_a_method_gives_one_finite_score_per_example_and_repeats_itself(name: str, case: Case) -> None:
    found = scores(name, case)
    assert found.shape == (N_TRAIN,)
    assert torch.isfinite(found).all()
    assert found.unique().numel() > 1
    assert torch.equal(found, scores(name, case))


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


def test_ip_is_the_inner_product_with_the_validation_gradient(case: Case) -> None:
    expected = inner(case.gradients(), case.objective_gradient())
    torch.testing.assert_close(scores("ip", case), expected, rtol=0, atol=1e-10)


def test_tracin_is_the_sum_of_its_checkpoints(case: Case) -> None:
    expected = torch.zeros(N_TRAIN, dtype=torch.float64)
    for checkpoint in case.context().spaced:
        state = dict(checkpoint.state)
        expected += checkpoint.learning_rate * inner(case.gradients(state), case.objective_gradient(state))
    torch.testing.assert_close(scores("tracin", case), expected, rtol=0, atol=1e-10)
    load = declarations("methods")["tracin"].load()
    single = [load(case.context(spaced=[checkpoint])) for checkpoint in case.context().spaced]
    torch.testing.assert_close(scores("tracin", case), single[0] + single[1], rtol=0, atol=1e-10)


def test_if_cg_is_the_damped_solve(case: Case) -> None:
    matrix = dense_gauss_newton(case)
    largest = torch.linalg.eigvalsh(matrix)[-1]
    v = case.objective_gradient()
    damped = matrix + 0.1 * largest * torch.eye(len(matrix), dtype=torch.float64)
    solved = torch.linalg.solve(damped, flatten(v))
    gradients = torch.cat([case.gradients()[name].flatten(1) for name in v], dim=1)
    found = scores("if_cg", case, damping=0.1, tolerance=1e-8)
    # lambda_max is known to about a percent, and so is the damping.
    torch.testing.assert_close(found, gradients @ solved, rtol=0.03, atol=0.03 * float(found.abs().mean()))
    assert torch.corrcoef(torch.stack([found, gradients @ solved]))[0, 1] > 0.99999


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


def refitted(case: Case, weights: torch.Tensor, decay: float) -> dict[str, torch.Tensor]:
    """Logistic regression at the optimum of sum(w l)/n + decay/2 |theta|^2."""
    parameters = {name: tensor.clone().requires_grad_() for name, tensor in case.state.items()}
    optimizer = torch.optim.LBFGS(
        parameters.values(), max_iter=500, tolerance_grad=1e-11, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        logits = torch.func.functional_call(case.model, parameters, (case.train.inputs,))
        losses = torch.nn.functional.cross_entropy(logits, case.train.labels, reduction="none")
        penalty = sum((tensor.square().sum() for tensor in parameters.values()), torch.zeros(()))
        value = (weights * losses).sum() / N_TRAIN + decay / 2 * penalty
        value.backward()
        return value

    optimizer.step(closure)
    return {name: tensor.detach() for name, tensor in parameters.items()}


def validation_loss(case: Case, state: dict[str, torch.Tensor]) -> torch.Tensor:
    logits = predict(case.model, state, case.validation.inputs)
    return torch.nn.functional.cross_entropy(logits, case.validation.labels)


@pytest.mark.parametrize("options", [{"damping": 0.0}, {"damping": -1.0}, {"tolerance": 0.0}, {"tolerance": 1.0}])
def test_if_cg_refuses_options_out_of_range(case: Case, options: dict[str, float]) -> None:
    with pytest.raises(HeftError, match=next(iter(options))):
        scores("if_cg", case, **options)


def test_loss_margin_and_el2n_are_their_formulas(case: Case) -> None:
    logits, labels = predict(case.model, case.state, case.train.inputs), case.train.labels
    rows = torch.arange(N_TRAIN)
    expected_loss = logits.log_softmax(1)[rows, labels]
    torch.testing.assert_close(scores("loss", case), expected_loss, rtol=0, atol=1e-10)
    others = logits.clone()
    others[rows, labels] = -torch.inf
    torch.testing.assert_close(scores("margin", case), logits[rows, labels] - others.amax(1), rtol=0, atol=1e-10)
    errors = []
    for checkpoint in case.context().early:
        p = predict(case.model, dict(checkpoint.state), case.train.inputs).softmax(1)
        errors.append((p - torch.nn.functional.one_hot(labels, p.shape[1])).norm(dim=1))
    torch.testing.assert_close(scores("el2n", case), -torch.stack(errors).mean(0), rtol=0, atol=1e-10)


def test_confidence_and_trusted_loss_are_their_formulas(case: Case) -> None:
    rows, labels = torch.arange(N_TRAIN), case.train.labels
    p = predict(case.model, case.state, case.train.inputs).softmax(1)[rows, labels]
    torch.testing.assert_close(scores("confidence", case), p, rtol=0, atol=1e-12)
    assert torch.equal(scores("confidence", case).argsort(), scores("loss", case).argsort())
    (fine_tuned,) = case.context().auxiliary_models("fine_tuned")
    tuned = predict(case.model, dict(fine_tuned.state), case.train.inputs).log_softmax(1)[rows, labels]
    torch.testing.assert_close(scores("trusted_loss", case), tuned, rtol=0, atol=1e-12)


@pytest.mark.parametrize("model", ["mlp", "cnn", "batch_norm", "group_norm", "attention"])
def test_self_ip_and_grad_cos_are_their_formulas(model: str) -> None:
    case = make_case(model)
    gradients, v = case.gradients(), case.objective_gradient()
    squared = torch.stack([tensor.flatten(1).square().sum(1) for tensor in gradients.values()]).sum(0)
    torch.testing.assert_close(scores("self_ip", case), -squared, rtol=1e-10, atol=1e-12)
    length = torch.cat([tensor.flatten() for tensor in v.values()]).norm()
    expected = inner(gradients, v) / (squared.sqrt() * length)
    torch.testing.assert_close(scores("grad_cos", case), expected, rtol=1e-8, atol=1e-10)
    assert float(scores("grad_cos", case).abs().max()) <= 1 + 1e-12


def test_aum_is_the_mean_margin_and_forgetting_counts_what_was_learned_then_lost(case: Case) -> None:
    margin = torch.tensor([[1.0, -1, -1, 1, 1], [-1.0, -1, 1, 1, -1], [1.0, -1, 1, 1, 1], [-1.0, -1, 1, 1, 1]])
    context = case.context(dynamics=Dynamics(margin + 3, torch.full_like(margin, 3.0)))
    load = {name: declarations("methods")[name].load() for name in ("aum", "forgetting")}
    torch.testing.assert_close(load["aum"](context), margin.mean(0))
    assert load["forgetting"](context).tolist() == [-2, -4, 0, 0, -1]


def test_confident_learning_is_cleanlabs_score_of_out_of_fold_probabilities(case: Case) -> None:
    labels, expected = case.train.labels, torch.zeros(N_TRAIN, dtype=torch.float64)
    for fold in case.context().auxiliary_models("folds"):
        p = predict(case.model, dict(fold.state), case.train.inputs).softmax(1)
        expected = torch.where(fold.held_out, p[torch.arange(N_TRAIN), labels], expected)
    torch.testing.assert_close(scores("confident_learning", case), expected, rtol=0, atol=1e-12)
    margin = scores("confident_learning", case, quality="normalized_margin")
    assert not torch.equal(margin.argsort(), expected.argsort())
    assert not torch.equal(scores("confident_learning", case, adjusted=True), expected)


def test_confident_learning_refuses_unknown_qualities_and_a_class_of_one(case: Case) -> None:
    with pytest.raises(HeftError, match=r'quality is "entropy"; .*Known: confidence_weighted_entropy, '):
        scores("confident_learning", case, quality="entropy")
    with pytest.raises(HeftError, match="adjusted is true"):
        scores("confident_learning", case, quality="confidence_weighted_entropy", adjusted=True)
    labels = case.train.labels.clone()
    labels[labels == 3] = 2
    labels[0] = 3
    with pytest.raises(HeftError, match="class 3 has one training example"):
        declarations("methods")["confident_learning"].load()(case.context(train=Batch(case.train.inputs, labels)))


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
        found = declarations("methods")["gradient_free"]
    assert found.summary == "the index, backwards."
    assert found.load()(case.context(), scale=2.0)[3] == -6.0
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
    found = read_declaration(file, "auxiliary")
    assert found is not None
    assert (found.name, found.defined, found.fields["need"]) == ("fine_tunes", "FineTunes", "fine_tuned")
    file.write_text('@auxiliary(gives="it", need="fine_tuned")\nclass Tunes: ...\n')
    with pytest.raises(ValueError, match="named Tunes; expected FineTunes"):
        read_declaration(file, "auxiliary")

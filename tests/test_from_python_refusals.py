"""What heft.score refuses, each in one sentence that says what to pass."""

from typing import Any

import pytest
import torch
from attribution_cases import N_TRAIN, Case, make_case
from torch import Tensor, nn

import heft

CASE: Case = make_case("mlp")
X, Y = CASE.train
HALF = torch.arange(N_TRAIN) % 2 == 0
STATE = CASE.state


def refused(method: Any, sentence: str, model: Any = CASE.model, **passed: Any) -> None:
    given = {"train": (X, Y), "validation": tuple(CASE.validation), **passed}
    with pytest.raises(heft.HeftError, match=sentence) as error:
        heft.score(method, model, **given)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("method", "sentence"),
    [
        ("ip", "Method ip needs validation: trusted examples, in any form that train may have"),
        ("oracle", "needs true_labels: the right label of each training example"),
        ("tracin", "needs checkpoints: states along the training, .* a pair of it and the learning rate there"),
        ("el2n", "needs checkpoints: states after the first epochs"),
        ("aum", r"needs dynamics: logits .* \[n_epochs, n_train, n_classes\]"),
        ("confident_learning", r"needs folds: .* a pair of it and what it was trained without, bool \[n_train\]"),
        ("trak", "needs subsets: further models, each trained on a random half of the data; each is a state_dict"),
        ("trusted_loss", "needs fine_tuned: the model trained further on validation labels: a state_dict or a module"),
    ],
)
def test_what_is_missing_is_named_with_what_to_pass(method: str, sentence: str) -> None:
    refused(method, sentence, validation=None)


@pytest.mark.parametrize(
    ("method", "passed", "sentence"),
    [
        ("ipp", {}, 'method "ipp" is not known; did you mean "ip"'),
        ("if_cg", {"dampning": 1.0}, 'dampning is not an option; did you mean "damping"'),
        ("ip", {"objective": "los"}, 'objective "los" is not known; did you mean "loss"'),
        ("ip", {"objective": 3}, "objective is 3; expected a name"),
        ("ip", {"objective": lambda z, y: z.sum().item()}, "is a float; it must be a tensor of one number"),
        ("ip", {"objective": lambda z, y: z.sum().to("meta")}, "is on the device meta; it must be on the cpu"),
        ("ip", {"ensemble": "gausian"}, 'ensemble "gausian" is not known; did you mean "gaussian"'),
        ("ip", {"ensemble": {"gaussian": {"sigma": -1.0}}}, "sigma is -1.0; it must be above 0"),
        ("ip", {"ensemble": "seeds"}, "ensemble is seeds, whose members are .*: call heft.score for each"),
        ("ip", {"ensemble": "gaussian", "members": 0}, "members is 0; an ensemble has at least 1"),
        ("ip", {"members": 3}, "members is 3 without an ensemble"),
        ("random", {"ensemble": "gaussian"}, "Method random takes no ensemble"),
        ("trak", {"subsets": [STATE], "models": 2}, "Method trak takes 2 of subsets, but 1 are passed"),
        ("trusted_loss", {"fine_tuned": [STATE, STATE]}, "takes 1 of fine_tuned, but 2 are passed"),
        ("tracin", {"checkpoints": []}, "checkpoints is empty; expected a list"),
        ("tracin", {"checkpoints": STATE}, "checkpoints is a OrderedDict|checkpoints is a dict"),
        ("tracin", {"checkpoints": [STATE, (STATE, 0.1)]}, "checkpoints mixes states and pairs"),
        ("tracin", {"checkpoints": [3]}, r"checkpoints\[0\] is a int; expected a state_dict or a torch.nn.Module"),
        ("tracin", {"checkpoints": [{}]}, "The model state has no 1.weight, which the model Sequential needs"),
        ("confident_learning", {"folds": [(STATE, HALF.long())]}, r"folds\[0\]: .* int64 \[40\]; expected bool \[40\]"),
        ("confident_learning", {"folds": [(STATE, HALF)]}, "training example 1 is held out by 0 of the models"),
        ("confident_learning", {"folds": [STATE, STATE]}, "training example 0 is held out by 0 of the models"),
        ("aum", {"dynamics": torch.zeros(3, 7, 4)}, "dynamics are no logits of 40 training examples after each epoch"),
        ("oracle", {"true_labels": Y[:3]}, r"true_labels are int64 \[3\]; expected whole numbers \[40\]"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(method: str, passed: dict[str, Any], sentence: str) -> None:
    refused(method, sentence, **passed)


class Returns(nn.Module):
    """A model whose output is made from the logits of another by a function."""

    def __init__(self, change: Any) -> None:
        super().__init__()
        self.inside, self.change = CASE.model, change

    def forward(self, x: Tensor) -> Any:
        return self.change(self.inside(x))


def _broken() -> nn.Module:
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 4)).double()
    nn.init.constant_(model[1].weight, torch.nan)
    return model


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("mlp", "model is a str; expected the trained torch.nn.Module"),
        (Returns(lambda z: (z, z)), "model Returns returns a tuple; its forward has to return the tensor of logits"),
        (Returns(lambda z: z[:, :, None]), r"returns shape \[3, 4, 1\] for 3 examples; expected \[3, 4\]"),
        (Returns(lambda z: z[:, :3]), "row 2 has the label 3; the model's 3 logits stand for the labels 0 to 2"),
        (Returns(lambda z: z.softmax(1).log() * torch.inf), "returns logits that are not finite"),
        (Returns(lambda z: z + torch.rand(())), "model Returns is random in evaluation mode"),
        (Returns(lambda z: z - z.mean(0)), "does not treat each example by itself"),
        (_broken(), "1.weight holds nan, which is not finite; check that training did not diverge"),
        (nn.Sequential(nn.Flatten(), nn.Linear(9, 4)), r"fails on inputs of shape \[3, 1, 4, 4\] and type float64"),
        (Returns(lambda z: z.to("meta")), "model Returns returns logits on the device meta; its forward has to stay"),
    ],
)  # fmt: skip
def test_an_unsound_model_is_refused_in_the_words_of_the_workflow(model: Any, sentence: str) -> None:
    refused("loss", sentence, model=model)


class Counts(nn.Module):
    """Changes its input, or counts its calls, as `what` says."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.inside, self.what = CASE.model, what
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        if self.what == "calls":
            self.calls += 1
        else:
            x -= 1
        return self.inside(x)


@pytest.mark.parametrize(("what", "sentence"), [("calls", "changes calls"), ("input", "changes its input in place")])
def test_a_model_that_changes_something_is_refused_and_put_back(what: str, sentence: str) -> None:
    model, inputs = Counts(what), X.clone()
    refused("loss", sentence, model=model)
    assert model.calls == 0
    assert torch.equal(X, inputs)


def test_a_label_below_zero_is_refused_in_validation_too() -> None:
    refused("ip", "validation: row 0 has the label -1", validation=(X[:2], torch.tensor([-1, 0])))


def test_a_refused_ensemble_member_is_named() -> None:
    flat = nn.Sequential(nn.Flatten(), nn.Linear(16, 4)).double()
    refused(
        "ip", "Method ip, member 1: activation_dropout: .* no hidden layer", model=flat, ensemble="activation_dropout"
    )

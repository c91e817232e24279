"""What a training predicts beside its steps, counted by a hook on the model: what is read, and no more."""

from collections.abc import Callable

import pytest
from plain_training import N_CLASSES, SETTINGS, SHAPE, examples
from torch import Tensor, nn

from heft.auxiliary.kinds import kinds
from heft.auxiliary.training import AuxiliaryContext
from heft.models.build import ModelSpec
from heft.registry import declarations
from heft.seeds import RunSeeds
from heft.training.fine_tuning import fine_tune
from heft.training.loop import state_of
from heft.training.runs import train_runs
from heft.training.settings import FineTuningSettings

N = len(examples())


def predicted_in(run: Callable[[], object]) -> int:
    """Examples that pass a linear model in evaluation mode."""
    seen = []

    def count(module: nn.Module, given: tuple[Tensor, ...], _output: object) -> None:
        if isinstance(module, nn.Linear) and not module.training:
            seen.append(len(given[0]))

    hook = nn.modules.module.register_module_forward_hook(count)
    try:
        run()
    finally:
        hook.remove()
    return sum(seen)


def test_a_training_predicts_each_split_once_an_epoch_and_nothing_else() -> None:
    spec, validation = ModelSpec("logistic", {}, SHAPE, N_CLASSES), examples(12)
    given = (spec, examples(), validation, SETTINGS, {0: RunSeeds(1, 2)})
    epochs = SETTINGS.epochs + 1  # the initial state is one
    building = predicted_in(lambda: spec.build(1))
    assert predicted_in(lambda: train_runs(*given)) - building == epochs * (N + 12)
    assert predicted_in(lambda: train_runs(*given, dynamics=False)) - building == epochs * 12
    state, settings = state_of(spec.build(1)), FineTuningSettings(epochs=3)
    tuned = predicted_in(lambda: fine_tune(spec, state, validation, SETTINGS, settings, RunSeeds(1, 2)))
    assert tuned - building == 4 * 12


@pytest.mark.parametrize("name", [name for name, kind in kinds().items() if kind.need])
def test_further_models_that_serve_a_need_predict_no_training_example(name: str) -> None:
    spec, state = ModelSpec("logistic", {}, SHAPE, N_CLASSES), ModelSpec("logistic", {}, SHAPE, N_CLASSES).build(1)
    tuning = FineTuningSettings(epochs=SETTINGS.epochs)
    given = AuxiliaryContext(spec, examples(), examples(12), SETTINGS, 0, ("init",), tuning, {0: state_of(state)})
    seen = predicted_in(lambda: declarations("auxiliary")[name].load()().train(given, [0]))
    assert seen - predicted_in(lambda: spec.build(1)) == (SETTINGS.epochs + 1) * 12


def test_without_dynamics_the_states_are_the_same_and_nothing_is_said_of_the_training_split() -> None:
    given = (ModelSpec("mlp", {}, SHAPE, N_CLASSES), examples(), examples(12), SETTINGS, {0: RunSeeds(1, 2)})
    whole, brief = train_runs(*given), train_runs(*given, dynamics=False)
    for epoch, saved in whole.checkpoints.runs[0].states.items():
        assert all(
            tensor.equal(brief.checkpoints.runs[0].states[epoch].state[name]) for name, tensor in saved.state.items()
        )
    assert brief.history.equals(whole.history.drop(columns=["train_loss", "train_accuracy"]))
    assert brief.dynamics.empty
    assert list(brief.dynamics) == list(whole.dynamics)

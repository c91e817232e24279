"""Refuses a model whose logits of an example depend on chance, on earlier calls, or on the other examples."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from heft.errors import HeftError
from heft.kernels.calling import call
from heft.models.soundness.closeness import is_close, rounding_of
from heft.models.soundness.culprit import Passed, first_that_parts, label_of, layers_recorded, running_layers
from heft.models.soundness.outputs import check_shape
from heft.persons_code import reason_of, seed_generators

ForwardPass = Callable[[], Tensor]
SURE = 1e-5  # relative: below it, no look at the types inside is needed


def check_each_by_itself(model: nn.Module, inputs: Tensor, label: str, n_classes: int) -> None:
    """Raises HeftError, naming the layer where one can be told, unless `model(x)[i]` is `model(x[i:i+1])` at each call.

    Parameters that are zero at the start, which hide what they are multiplied by, are tried with other values.
    """
    run = partial(evaluated, model, without_zeros(model, inputs))
    together, others = partial(run, inputs), partial(run, inputs, seed=1)
    if not _same(model, together, together):
        raise HeftError(
            f"{label} does not give the same logits for the same input: {_named(_culprit(model, together, together))} "
            "keeps something from call to call; in evaluation mode a forward pass has to leave everything as it was."
        )
    if not torch.equal(together(), others()):
        raise HeftError(
            f"{label} is random in evaluation mode: {_named(_culprit(model, together, others))} draws numbers; draw "
            "them where self.training is true alone (functional.dropout takes training=self.training)."
        )
    for row in range(1, len(inputs)):
        rows = slice(row, row + 1)
        _check_alone(model, together, partial(run, inputs[rows]), rows, label, n_classes)


def _check_alone(
    model: nn.Module, together: ForwardPass, alone: ForwardPass, rows: slice, label: str, n_classes: int
) -> None:
    try:
        with running_layers(model) as running:
            logits = alone()
    except Exception as error:
        name, layer = running[-1] if running else ("", model)
        raise HeftError(
            f"{label} cannot run on 1 example, whose logits may not depend on the other examples of a batch: "
            f"{label_of(name, layer)}: {reason_of(error)}{_remedy(layer)}."
        ) from error
    check_shape(logits, label, 1, n_classes, together().device)
    if not _same(model, together, alone, rows):
        culprit = _culprit(model, together, alone, rows)
        raise HeftError(
            f"{label} does not treat each example by itself: {_named(culprit)} makes the logits of an example depend "
            f"on the other examples of its batch{_remedy(culprit.layer if culprit else model)}."
        )


def evaluated(model: nn.Module, state: dict[str, Tensor], inputs: Tensor, seed: int = 0) -> Tensor:
    """Logits of a copy of the inputs, with the parameters of `state` and seeded generators, without a graph."""
    seed_generators(seed)
    with torch.no_grad():
        logits: Tensor = call(model, state, inputs.clone())
    return logits


def without_zeros(model: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    """The model's parameters, with small random values where a whole one is 0 and the logits stay finite."""
    generator = torch.Generator().manual_seed(0)
    parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}
    changed = {
        name: (0.1 * torch.randn(value.shape, generator=generator)).to(value)
        if value.is_floating_point() and not value.any()
        else value
        for name, value in parameters.items()
    }
    return changed if evaluated(model, changed, inputs).isfinite().all() else parameters


def _same(model: nn.Module, left: ForwardPass, right: ForwardPass, rows: slice = slice(None)) -> bool:
    """Whether logits `rows` of one pass are those of the other, up to the rounding of the coarsest type inside."""
    of_left, of_right = left()[rows], right()
    if is_close(of_left, of_right, SURE):
        return True
    with layers_recorded(model) as passed:
        right()
    inside = [tensor for layer in passed for tensor in layer.returned]
    return is_close(of_left, of_right, rounding_of([of_left, *model.parameters(), *inside]))


def _culprit(model: nn.Module, left: ForwardPass, right: ForwardPass, rows: slice | None = None) -> Passed | None:
    """The first layer that makes the passes part; rows: the examples of the left pass that the right one has."""
    with layers_recorded(model) as of_left:
        n = len(left())
    with layers_recorded(model) as of_right:
        right()

    def part(tensor: Tensor) -> Tensor:
        return tensor[rows] if rows and tensor.dim() and len(tensor) == n else tensor

    tolerance = rounding_of(tensor for layer in of_left for tensor in layer.returned)
    return first_that_parts(of_left, of_right, partial(is_close, tolerance=tolerance), part)


def _named(culprit: Passed | None) -> str:
    return label_of(culprit.name, culprit.layer) if culprit else "its forward"


def _remedy(layer: nn.Module) -> str:
    """What to do about a layer that mixes examples, where that is known of its kind."""
    kind = type(layer).__name__
    if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.running_mean is None:
        return (
            f"; {kind} without running statistics takes those of the batch: leave track_running_stats on, or take "
            "a normalisation of each example"
        )
    if getattr(layer, "batch_first", True) is False:
        return f"; {kind} takes the first axis for positions: give it batch_first=True"
    return ""

"""The model that is checked, and a few examples."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from heft.checking.plain_sgd import plain_sgd
from heft.checking.precision import Case, double_case
from heft.data.examples import Examples
from heft.devices import CPU
from heft.kernels.batch import Batch
from heft.models.build import ModelSpec, build_model
from heft.models.soundness.checks import usable_inputs
from heft.models.soundness.outputs import check_finite, check_shape
from heft.models.soundness.parameters import reached_parameters
from heft.models.soundness.unchanged import copies_of
from heft.persons_code import persons_code
from heft.training.settings import TrainingSettings

N_EXAMPLES = 8
OF_LARGE = 4  # examples that a large model is tried on: two of a label, and two labels
LARGE = 1_000_000  # parameters
STEPS = 3
SEED = 0


@dataclass(frozen=True)
class Subject:
    """A model that was found sound when it was built, in evaluation mode, and examples to try it on."""

    spec: ModelSpec
    model: nn.Module
    examples: Examples

    @property
    def label(self) -> str:
        """How sentences begin: `model my_models:build`."""
        return f"model {self.spec.name}"

    @property
    def state(self) -> dict[str, Tensor]:
        """Parameters and buffers at the start."""
        return copies_of(self.model)

    @property
    def trained(self) -> list[str]:
        """Names of the parameters that training may move."""
        return [name for name, parameter in self.model.named_parameters() if parameter.requires_grad]

    @cached_property
    def reached(self) -> list[str]:
        """Those of them that a gradient of the logits reaches."""
        with torch.enable_grad():
            return reached_parameters(self.model, self.model(self.examples.inputs[:2].clone()))

    @property
    def few(self) -> Batch:
        """Two or three of the examples, for derivatives of each by itself."""
        n = min(3, max(2, len(self.examples) // 2))
        return Batch(self.examples.inputs[:n], self.examples.labels[:n])

    @property
    def short_training(self) -> TrainingSettings:
        """Three steps, each on all examples."""
        return TrainingSettings(epochs=STEPS, batch_size=len(self.examples), learning_rate=0.01, schedule="constant")

    @cached_property
    def in_double(self) -> Case:
        """The model and the examples in float64, see `double_case`."""
        return double_case(self.fresh, self.examples)

    @cached_property
    def plainly_trained(self) -> nn.Module:
        """The model in float64 after the short training by plain SGD: two checks look at it."""
        model = self.in_double.fresh(SEED)
        plain_sgd(model, self.in_double.examples, self.short_training, SEED)
        return model

    def fresh(self, seed: int = SEED) -> nn.Module:
        """The model built once more."""
        return self.spec.build(seed, self.examples.device)


def subject_of(spec: ModelSpec, inputs: Tensor | None = None, device: torch.device = CPU) -> Subject:
    """Builds the model, on the CPU, where it has to be sound, and moves it to the device.

    inputs [n, *input_shape]: random ones where absent; a model of many parameters gets every second one. Labels are a
    few classes in turn, so that none stands alone, where a method compares examples of one.
    Raises HeftError where the model is not sound, or its logits of the inputs are not finite.
    """
    model = build_model(spec.name, spec.options, spec.input_shape, spec.n_classes, SEED)
    label = f"model {spec.name}"
    with persons_code(f"{label} fails on inputs of shape {list(spec.input_shape)}"), torch.no_grad():
        inputs = usable_inputs(model, spec.input_shape, N_EXAMPLES) if inputs is None else inputs
        inputs = _few(inputs) if sum(parameter.numel() for parameter in model.parameters()) > LARGE else inputs
        model, inputs = model.to(device), inputs.to(device)
        logits = model(inputs.clone())
        check_shape(logits, label, len(inputs), spec.n_classes, device)
        check_finite(logits, label)
    labels = torch.arange(len(inputs), device=device) % min(spec.n_classes, max(2, len(inputs) // 2))
    ids = np.array([str(row) for row in range(len(inputs))])
    return Subject(spec, model, Examples(ids, inputs, labels, true_labels=labels.roll(1)))


def _few(inputs: Tensor) -> Tensor:
    """Some of the inputs, from all over them."""
    return inputs[:: max(1, len(inputs) // OF_LARGE)]

"""Every module of the battery with a small training set, and what its scores are by plain backward passes.

Nothing here knows the library's kernels: gradients are taken one example after the other from the module itself, the
Jacobian one logit after the other, the Hessian by a second backward pass. The module that is scored has other
parameters than its state, so that a score which reads them shows.
"""

from dataclasses import dataclass, field
from functools import cache, cached_property

import battery
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import cross_entropy

from heft.kernels.batch import Batch
from heft.methods.context import AuxiliaryModel, Checkpoint, Context
from heft.objectives.loss import loss
from heft.registry import declarations

N_TRAIN, N_VALIDATION = 10, 6
NOTHING = torch.zeros(N_TRAIN, dtype=torch.bool)  # held out


@dataclass
class Reference:
    """`module` in its state; its gradients as rows over the parameters that training moves."""

    module: nn.Module
    train: Batch
    validation: Batch
    state: dict[str, Tensor] = field(init=False)

    def __post_init__(self) -> None:
        self.state = {name: tensor.detach().clone() for name, tensor in self.module.state_dict().items()}

    @cached_property
    def names(self) -> list[str]:
        """Parameters that training moves: what a backward pass from the logits leaves a gradient at."""
        self.module.zero_grad()
        self.module(self.train.inputs[:1]).sum().backward()
        moving = [name for name, tensor in self.module.named_parameters() if tensor.grad is not None]
        self.module.zero_grad()
        return moving

    @property
    def parameters(self) -> list[Tensor]:
        named = dict(self.module.named_parameters())
        return [named[name] for name in self.names]

    def rows(self, values: Tensor, *, graph: bool = False) -> Tensor:
        """The gradient of each of some numbers [k]: [k, d] in float64."""
        rows = []
        for value in values:
            gradients = torch.autograd.grad(
                value, self.parameters, retain_graph=True, allow_unused=True, create_graph=graph
            )
            pairs = zip(gradients, self.parameters, strict=True)
            rows.append(torch.cat([(torch.zeros_like(p) if g is None else g).flatten().double() for g, p in pairs]))
        return torch.stack(rows)

    def losses(self, labels: Tensor | None = None) -> list[Tensor]:
        """Each training example's loss, from a forward pass of its own."""
        inputs, given = self.train.inputs, self.train.labels if labels is None else labels
        return [cross_entropy(self.module(inputs[i : i + 1]), given[i : i + 1]) for i in range(len(inputs))]

    @cached_property
    def gradients(self) -> Tensor:
        """grad l_i [n, d]."""
        return torch.cat([self.rows(value[None]) for value in self.losses()])

    @cached_property
    def v(self) -> Tensor:
        """grad f [d]."""
        return self.rows(cross_entropy(self.module(self.validation.inputs), self.validation.labels)[None])[0]

    @cached_property
    def jacobian(self) -> Tensor:
        """[n, n_classes, d]."""
        inputs = self.train.inputs
        return torch.stack([self.rows(self.module(inputs[i : i + 1])[0]) for i in range(len(inputs))])

    @cached_property
    def logits(self) -> Tensor:
        with torch.no_grad():
            return self.module(self.train.inputs).double()

    @cached_property
    def gauss_newton(self) -> Tensor:
        p = self.logits.softmax(dim=1)
        middle = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
        return torch.einsum("ncd,nck,nke->de", self.jacobian, middle, self.jacobian) / len(p)

    @cached_property
    def slope(self) -> Tensor:
        """The gradient of the mean training loss [d], with a graph."""
        with sdpa_kernel(SDPBackend.MATH):  # torch's fused attention cannot be differentiated twice
            mean = cross_entropy(self.module(self.train.inputs), self.train.labels)
            return self.rows(mean[None], graph=True)[0]

    def slope_at(self, step: Tensor) -> Tensor:
        """The gradient of the mean training loss [d] after a step from the state."""
        parts = step.split([tensor.numel() for tensor in self.parameters])
        with torch.no_grad():
            for tensor, part in zip(self.parameters, parts, strict=True):
                tensor += part.view_as(tensor)
        slope = self.rows(cross_entropy(self.module(self.train.inputs), self.train.labels)[None])[0]
        self.module.load_state_dict(self.state)
        return slope

    def hessian_times(self, u: Tensor) -> Tensor:
        """H u [d], by a second backward pass; by differences of five points where torch has that wrong."""
        if any(type(part).__name__ == "_WeightNorm" for part in self.module.modules()):
            near, far = (self.slope_at(h * u) - self.slope_at(-h * u) for h in (1e-4, 2e-4))
            return (8 * near - far) / 12e-4
        return self.rows((self.slope @ u)[None])[0] if self.slope.requires_grad else torch.zeros_like(u)

    @cached_property
    def hessian(self) -> Tensor:
        """[d, d]."""
        return torch.stack([self.hessian_times(direction) for direction in torch.eye(len(self.v), dtype=torch.float64)])

    def context(self, name: str, **changes: object) -> Context:
        """What a method is given: the same states, in a module that has other parameters of its own."""
        other = built(name, seed=1)
        checkpoints = [Checkpoint(self.state, 1, 0.3)]
        given: dict[str, object] = {
            "train": Batch(self.train.inputs.clone(), self.train.labels), "n_classes": battery.N_CLASSES, "seed": 0,
            "model": other, "final": self.state, "spaced": checkpoints, "early": checkpoints,
            "validation": self.validation, "objective": loss,
            "auxiliary": {need: [AuxiliaryModel(self.state, NOTHING)] for need in ("subsets", "fine_tuned")},
        }  # fmt: skip
        return Context(**{**given, **changes})  # type: ignore[arg-type]


def dtype_of(name: str) -> torch.dtype:
    """Of the inputs of a module."""
    return torch.float32 if battery.WORKING[name].own_type else torch.float64


def built(name: str, seed: int) -> nn.Module:
    """The module in float64 where it fixes no type itself, with its lazy layers made."""
    model = battery.build(name, seed)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        model(battery.examples(2, dtype=torch.float32)[0])
    return model if battery.WORKING[name].own_type else model.double()


@cache
def reference(name: str) -> Reference:
    """The same for every test of a process."""
    inputs, labels = battery.examples(N_TRAIN + N_VALIDATION, dtype=dtype_of(name))
    given = labels.clone()
    given[:2] = (given[:2] + 1) % battery.N_CLASSES
    train, rest = slice(None, N_TRAIN), slice(N_TRAIN, None)
    return Reference(built(name, 0), Batch(inputs[train], given[train]), Batch(inputs[rest], labels[rest]))


def scores(method: str, name: str, options: dict[str, object] | None = None, **changes: object) -> Tensor:
    """Scores of a method on a module of the battery, in float64."""
    context = reference(name).context(name, **changes)
    values: Tensor = declarations("methods")[method].load()(context, **(options or {}))
    return values.double()


def rounding(name: str) -> float:
    """How far scores may be off, relative to the largest: 1e-8 where a module computes in float64."""
    return 0.05 if name == "bfloat16" else 1e-8


def close(actual: Tensor, expected: Tensor, tolerance: float) -> None:
    """Whether all scores are within `tolerance` of the largest absolute one."""
    assert actual.isfinite().all()
    error = float((actual - expected).abs().max())
    assert error <= tolerance * float(expected.abs().max()), f"off by {error / float(expected.abs().max()):.2g}"

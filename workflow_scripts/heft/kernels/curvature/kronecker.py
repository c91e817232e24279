"""Kronecker-factored curvature, layer by layer, and what it makes of a direction or a gradient.

With a1 = [a; 1] and delta the gradient of the summed loss by the layer's output, at labels drawn from the model:
A = E[a1 a1^T] = Q_A diag(l_A) Q_A^T,  S = E[delta delta^T] = Q_S diag(l_S) Q_S^T  over examples and positions.
K-FAC: Lambda = T l_S l_A^T for T positions. EK-FAC: Lambda = E_i[(Q_S^T G_i Q_A)^2]. A layer's inverse is
V -> Q_S [(Q_S^T V Q_A) / (Lambda + damping * mean(Lambda))] Q_A^T.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from heft.devices import in_float64
from heft.errors import HeftError
from heft.kernels.functional import LARGEST_BATCH, Direction, State, logits_of
from heft.kernels.layers.capture import LayersError, batches_of, checked_layers, output_gradient_batches
from heft.kernels.layers.parts import described, layers_owning, names_of, whole_of
from heft.kernels.layers.rows import Rows, is_matrix_layer, layer_matrix, layer_tensors, rotated_squares, rows_of
from heft.kernels.losses import cross_entropy

KNOWN_FACTORS = "factors are known for Linear, and for Conv2d padded with a number of zeros"


def counted_as_zero(layers: Collection[str]) -> str:
    """The sentence on layers without known factors, whose parameters are left out."""
    return f"the parameters of {', '.join(layers)} count as 0: {KNOWN_FACTORS}"


@dataclass(frozen=True)
class LayerCurvature:
    """left = Q_S [g, out, out], right = Q_A [g, in, in], eigenvalues = Lambda [g, out, in], at least 0."""

    layer: nn.Module
    left: Tensor
    right: Tensor
    eigenvalues: Tensor

    def inverse(self, damping: float) -> Tensor:
        """1 / (Lambda + damping * mean(Lambda)) [g, out, in]; zeros where all of Lambda is 0."""
        mean = self.eigenvalues.mean()
        return 1 / (self.eigenvalues + damping * mean) if mean > 0 else torch.zeros_like(self.eigenvalues)

    def solve(self, tensors: Mapping[str, Tensor], damping: float) -> dict[str, Tensor]:
        """(curvature + damping)^-1 times a direction of this layer, by the layer's parameter names."""
        rotated = self.left.mT @ layer_matrix(self.layer, tensors) @ self.right
        return layer_tensors(self.layer, self.left @ (rotated * self.inverse(damping)) @ self.right.mT)

    def quadratic(self, rows: Rows, damping: float) -> Tensor:
        """G_i^T (curvature + damping)^-1 G_i [b]."""
        weights = self.inverse(damping)
        if rows.a.shape[2] == 1:
            a, delta = _rotated_rows(self, rows)
            return ((delta.square() @ weights) * a.square()).sum(dim=(0, 2))
        parts = rotated_squares(rows, self.left, self.right)
        return torch.cat([(part * weights[:, None]).sum(dim=(0, 2, 3)) for part in parts])


def drawn_labels(model: nn.Module, state: State, inputs: Tensor, generator: torch.Generator) -> Tensor:
    """One label an example from the model's softmax [n]; does not depend on batches."""
    logits = logits_of(model, state, inputs)
    uniform = torch.rand(len(inputs), 1, generator=generator, dtype=torch.float64)
    labels = []
    for part, share in zip(logits.split(LARGEST_BATCH), uniform.split(LARGEST_BATCH), strict=True):
        cumulated = in_float64(part).softmax(dim=1).cumsum(dim=1)
        passed = (cumulated <= share.to(cumulated.device) * cumulated[:, -1:]).sum(dim=1).to(logits.device)
        labels.append(passed.clamp(max=logits.shape[1] - 1))
    return torch.cat(labels)


def matrix_layers(
    model: nn.Module, state: State, examples: Tensor, names: Collection[str]
) -> tuple[dict[str, nn.Module], list[str]]:
    """The Linear and Conv2d layers that own parameters of `names`, by name, and the other layers that do.

    Raises HeftError where there is none, or naming the layer where the model runs one twice or shares a parameter.
    """
    try:
        layers = checked_layers(model, state, examples, names)
    except LayersError as error:
        raise HeftError(f"Kronecker factors need layers that each run once on examples: {error}.") from error
    chosen = layers_owning(layers, names)
    matrices = {name: layer for name, layer in chosen.items() if is_matrix_layer(whole_of(layer))}
    others = [described(name, layer) for name, layer in chosen.items() if name not in matrices]
    if not matrices:
        raise HeftError(f"Kronecker {KNOWN_FACTORS}; the layers are {', '.join(others)}.")
    return matrices, others


def kronecker_curvature(
    model: nn.Module, state: State, layers: Mapping[str, nn.Module], inputs: Tensor, labels: Tensor
) -> dict[str, LayerCurvature]:
    """K-FAC of each layer, by its name; labels [n]: those of `drawn_labels` (given ones make the empirical Fisher)."""
    sums: dict[str, tuple[Tensor, Tensor]] = {}
    positions = {}
    batches = batches_of(model, state, inputs, labels)
    for batch in output_gradient_batches(model, state, layers, batches, cross_entropy):
        for name, (captured, delta) in batch.items():
            a, delta = rows_of(layers[name], captured, delta)
            positions[name] = a.shape[2]
            a, delta = a.flatten(1, 2), delta.flatten(1, 2)
            products = (a.mT @ a, delta.mT @ delta)
            if name not in sums:
                sums[name] = products
            else:
                for total, product in zip(sums[name], products, strict=True):
                    total += product
    curvatures = {}
    for name in list(sums):
        n_rows, like = len(inputs) * positions[name], sums[name][0].new_empty(0)
        a_mean, delta_mean = (in_float64(total).div_(n_rows) for total in sums.pop(name))  # lets go of the sums first
        l_a, right = _eigenvectors(a_mean, like)
        l_s, left = _eigenvectors(delta_mean, like)
        eigenvalues = positions[name] * l_s[:, :, None] * l_a[:, None, :]
        curvatures[name] = LayerCurvature(layers[name], left, right, eigenvalues)
    return curvatures


def eigenvalue_corrected(
    model: nn.Module, state: State, kfac: Mapping[str, LayerCurvature], inputs: Tensor, labels: Tensor
) -> dict[str, LayerCurvature]:
    """EK-FAC: the same eigenvectors with the second moments of the gradients along them."""
    layers = {name: curvature.layer for name, curvature in kfac.items()}
    sums = {name: torch.zeros_like(curvature.eigenvalues) for name, curvature in kfac.items()}
    batches = batches_of(model, state, inputs, labels)
    for batch in output_gradient_batches(model, state, layers, batches, cross_entropy):
        for name, (captured, delta) in batch.items():
            rows = rows_of(layers[name], captured, delta)
            if rows.a.shape[2] == 1:
                a, delta = _rotated_rows(kfac[name], rows)
                sums[name] += delta.square().mT @ a.square()
            else:
                for part in rotated_squares(rows, kfac[name].left, kfac[name].right):
                    sums[name] += part.sum(dim=1)
    return {name: replace(kfac[name], eigenvalues=total / len(inputs)) for name, total in sums.items()}


def fisher_curvature(
    model: nn.Module,
    state: State,
    inputs: Tensor,
    names: Collection[str],
    generator: torch.Generator,
    *,
    corrected: bool,
) -> tuple[dict[str, LayerCurvature], list[str]]:
    """K-FAC or (`corrected`) EK-FAC at labels drawn from the model, of the layers that own parameters of `names`; and
    the names of the layers that have no factors."""
    layers, others = matrix_layers(model, state, inputs[:2], names)
    labels = drawn_labels(model, state, inputs, generator)
    kfac = kronecker_curvature(model, state, layers, inputs, labels)
    return (eigenvalue_corrected(model, state, kfac, inputs, labels) if corrected else kfac), others


def solve_layers(curvatures: Mapping[str, LayerCurvature], v: Direction, damping: float) -> dict[str, Tensor]:
    """(curvature + damping)^-1 v, layer by layer; parameters of other layers are left out, which counts them as 0."""
    solved: dict[str, Tensor] = {}
    for name, curvature in curvatures.items():
        keys = names_of(name, curvature.layer)
        tensors = curvature.solve({key: v[full] for full, key in keys.items()}, damping)
        solved |= {full: tensors[key] for full, key in keys.items()}
    return solved


def _eigenvectors(matrix: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues, at least 0, and eigenvectors in columns of a matrix in float64; of the type and device of `like`."""
    values, vectors = torch.linalg.eigh(matrix)
    return values.clamp(min=0).to(like), vectors.to(like)


def _rotated_rows(curvature: LayerCurvature, rows: Rows) -> Rows:
    """Of rows with one position: a Q_A [g, b, in] and delta Q_S [g, b, out]."""
    return Rows(rows.a[:, :, 0] @ curvature.right, rows.delta[:, :, 0] @ curvature.left)

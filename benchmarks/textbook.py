"""Scores by their textbook formulas, every matrix written down, in float64: for a model of a thousand parameters."""

from collections.abc import Iterator

import torch
from problem import N_CLASSES, Problem
from torch import Tensor, nn
from torch.func import functional_call, grad, jacrev, vmap
from torch.nn.functional import cross_entropy, one_hot

State = dict[str, Tensor]


class Textbook:
    """A problem's model at its last checkpoint: gradients [n, d] of the training losses, v [d] of the mean validation
    loss, Hessian and Gauss-Newton matrix [d, d] of the mean training loss; parameters in the model's order."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.model = problem.model.double()
        self.inputs, self.labels = problem.train[0].double(), problem.train[1]
        self.state = {name: problem.state[name].double() for name in self.model.state_dict()}
        self.v = self.validation_gradient(self.state)
        self.gradients = self.gradients_of(self.state, self.labels)

    def loss(self, state: State, x: Tensor, y: Tensor) -> Tensor:
        """Of one example."""
        return cross_entropy(functional_call(self.model, state, (x[None],)), y[None])

    def gradients_of(self, state: State, labels: Tensor) -> Tensor:
        """[n, d]."""
        return rows(vmap(grad(self.loss), (None, 0, 0))(state, self.inputs, labels))

    def validation_gradient(self, state: State) -> Tensor:
        """[d]."""
        inputs, labels = self.problem.validation
        return rows(vmap(grad(self.loss), (None, 0, 0))(state, inputs.double(), labels)).mean(0)

    def jacobians(self) -> Tensor:
        """Of the logits: [n, n_classes, d]."""

        def logits(state: State, x: Tensor) -> Tensor:
            return functional_call(self.model, state, (x[None],))[0]

        parts = vmap(jacrev(logits), (None, 0))(self.state, self.inputs)
        return torch.cat([part.flatten(2) for part in parts.values()], dim=2)

    def probabilities(self) -> Tensor:
        """[n, n_classes]."""
        return functional_call(self.model, self.state, (self.inputs,)).softmax(1).detach()

    def gauss_newton(self) -> Tensor:
        """(1/n) sum_i J_i^T (diag p_i - p_i p_i^T) J_i."""
        total, probabilities = torch.zeros(len(self.v), len(self.v), dtype=torch.float64), self.probabilities()
        for p, jacobian in zip(probabilities, self.jacobians(), strict=True):
            total += jacobian.T @ (torch.diag(p) - torch.outer(p, p)) @ jacobian
        return total / len(probabilities)

    def hessian(self) -> Tensor:
        """Row by row, backwards through the gradient."""
        leaves = {name: tensor.clone().requires_grad_() for name, tensor in self.state.items()}
        mean = cross_entropy(functional_call(self.model, leaves, (self.inputs,)), self.labels)
        parts = torch.autograd.grad(mean, list(leaves.values()), create_graph=True)
        gradient = torch.cat([part.flatten() for part in parts])
        second = [torch.autograd.grad(entry, list(leaves.values()), retain_graph=True) for entry in gradient]
        return torch.stack([torch.cat([part.flatten() for part in row]) for row in second])

    # ------------------------------------------------------------------ scores [n], positive where removal lifts f

    def inner_product(self) -> Tensor:
        """<g_i, v>."""
        return self.gradients @ self.v

    def tracin(self) -> Tensor:
        """Summed over checkpoints, times their learning rates."""
        total = torch.zeros(len(self.labels), dtype=torch.float64)
        for state, rate in self.problem.checkpoints:
            at = {name: tensor.double() for name, tensor in state.items()}
            total += rate * self.gradients_of(at, self.labels) @ self.validation_gradient(at)
        return total

    def solved(self, matrix: Tensor, damping: float) -> Tensor:
        """<g_i, (A + damping)^-1 v>."""
        shifted = matrix + damping * torch.eye(len(matrix), dtype=torch.float64)
        return self.gradients @ torch.linalg.solve(shifted, self.v)

    def largest_eigenpairs(self, rank: int, damping: float = 0.0) -> Tensor:
        """The solve within the span of the Hessian's largest eigenvectors, by size."""
        values, vectors = torch.linalg.eigh(self.hessian())
        kept = values.abs().argsort(descending=True)[:rank]
        coefficients = (vectors[:, kept].T @ self.v) / (values[kept] + damping)
        return self.gradients @ (vectors[:, kept] @ coefficients)

    def datainf(self, blocks: str, damping: float | None = None) -> Tensor:
        """Mean of rank-one inverses; blocks: `layer`, or `all` parameters as one. damping None: the paper's, a tenth of
        the mean squared gradient of each block."""
        total = torch.zeros(len(self.labels), dtype=torch.float64)
        for columns in self.layers().values() if blocks == "layer" else [slice(None)]:
            g, v = self.gradients[:, columns], self.v[columns]
            squares = g.square().sum(1)
            shift = 0.1 * squares.mean() / g.shape[1] if damping is None else damping
            total += g @ ((v - ((g @ v) / (shift + squares)) @ g / len(g)) / shift)
        return total

    def kronecker(self, corrected: bool, damping: float | None = None) -> Tensor:
        """K-FAC, or EK-FAC where `corrected`, of the Fisher matrix over all labels; damping None: a tenth of each
        layer's mean eigenvalue."""
        p, total = self.probabilities(), torch.zeros(len(self.labels), dtype=torch.float64)
        by_label = [
            (p[:, label], self.gradients_of(self.state, torch.full_like(self.labels, label)))
            for label in range(N_CLASSES)
        ]
        for name, columns in self.layers().items():
            layer = self.model.get_submodule(name)
            a = self.inputs_of(name)
            deltas = [(weight, self.matrices(gradients[:, columns], layer)) for weight, gradients in by_label]
            # G_i = delta_i a_i^T, and a_i ends in 1: its last column is delta_i.
            s = sum(((weight[:, None] * g[:, :, -1]).T @ g[:, :, -1] for weight, g in deltas), torch.zeros(())) / len(a)
            (values_a, q_a), (values_s, q_s) = torch.linalg.eigh(a.T @ a / len(a)), torch.linalg.eigh(s)
            values = torch.outer(values_s, values_a)
            if corrected:
                squares = [torch.einsum("n,noi->oi", weight, (q_s.T @ g @ q_a).square()) for weight, g in deltas]
                values = torch.stack(squares).sum(0) / len(a)
            shift = 0.1 * values.mean() if damping is None else damping
            v = self.matrices(self.v[None, columns], layer)[0]
            solved = q_s @ ((q_s.T @ v @ q_a) / (values + shift)) @ q_a.T
            total += torch.einsum("noi,oi->n", self.matrices(self.gradients[:, columns], layer), solved)
        return total

    def trak(self, damping: float = 0.0, objective: str = "loss") -> Tensor:
        """Without projection; damping times the mean diagonal entry. (1 - p_i) phi_i (Phi^T Phi)^-1 v, v of the mean
        loss of the validation split, or of minus its mean margin."""
        chosen = one_hot(self.labels, N_CLASSES).double()
        p = (self.probabilities() * chosen).sum(1)
        # d log(p / (1 - p)) = -dl / (1 - p)
        phi = -self.gradients / (1 - p)[:, None]
        kernel = phi.T @ phi
        kernel += damping * kernel.diagonal().mean() * torch.eye(len(kernel), dtype=torch.float64)
        v = self.v if objective == "loss" else self.validation_margin_gradient()
        return -(1 - p) * (phi @ torch.linalg.lstsq(kernel, v).solution)

    def validation_margin_gradient(self) -> Tensor:
        """[d], of minus log(p / (1 - p))."""
        inputs, labels = self.problem.validation[0].double(), self.problem.validation[1]
        gradients = rows(vmap(grad(self.loss), (None, 0, 0))(self.state, inputs, labels))
        p = functional_call(self.model, self.state, (inputs,)).softmax(1).gather(1, labels[:, None]).detach()
        return (gradients / (1 - p)).mean(0)

    # ------------------------------------------------------------------ layers

    def layers(self) -> dict[str, slice]:
        """The columns of each layer's parameters, weight then bias."""
        columns, start = {}, 0
        for name, layer in self.linear_layers():
            size = sum(tensor.numel() for tensor in layer.parameters())
            columns[name] = slice(start, start + size)
            start += size
        return columns

    def linear_layers(self) -> Iterator[tuple[str, nn.Linear]]:
        """All of them, in order."""
        yield from ((name, layer) for name, layer in self.model.named_modules() if isinstance(layer, nn.Linear))

    def inputs_of(self, name: str) -> Tensor:
        """What a layer is given, and 1: [n, inputs + 1]."""
        seen: list[Tensor] = []
        handle = self.model.get_submodule(name).register_forward_pre_hook(lambda _layer, given: seen.append(given[0]))
        functional_call(self.model, self.state, (self.inputs,))
        handle.remove()
        return torch.cat([seen[0].detach(), torch.ones(len(seen[0]), 1, dtype=torch.float64)], dim=1)

    def matrices(self, flat: Tensor, layer: nn.Module) -> Tensor:
        """[n, size] -> [n, outputs, inputs + 1]."""
        assert isinstance(layer, nn.Linear)
        weight, bias = flat.split([layer.weight.numel(), layer.bias.numel()], dim=1)
        return torch.cat([weight.view(len(flat), *layer.weight.shape), bias[:, :, None]], dim=2)


def rows(parts: State) -> Tensor:
    """[n, d] of tensors [n, ...]."""
    return torch.cat([part.flatten(1) for part in parts.values()], dim=1)

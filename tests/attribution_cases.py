"""Small trained-looking models and data in float64, shared by the tests of kernels, methods and ensembles."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.functional import cross_entropy

from heft.ensembles.members import AuxiliaryRun, TrainedModels, dynamics_of
from heft.kernels.batch import Batch
from heft.methods.context import AuxiliaryModel, Checkpoint, Context
from heft.objectives.loss import loss
from heft.training.checkpoints import Run, SavedState

N_TRAIN, N_VALIDATION, N_CLASSES = 40, 15, 4
NOTHING = torch.zeros(N_TRAIN, dtype=torch.bool)  # held out


class Attention(nn.Module):
    """Four tokens of four numbers, one attention layer, mean over tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.head = nn.Linear(4, N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.norm(x.flatten(1).view(-1, 4, 4))
        mixed, _ = self.attention(tokens, tokens, tokens, need_weights=False)
        return self.head(mixed.mean(1))


MODELS = {
    "logistic": lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, N_CLASSES)),
    "no_bias": lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, N_CLASSES, bias=False)),
    "mlp": lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.GELU(), nn.Linear(8, N_CLASSES)),
    "cnn": lambda: nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.GELU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, N_CLASSES)
    ),
    "batch_norm": lambda: nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.SiLU(), nn.Flatten(), nn.Linear(12, N_CLASSES)
    ),
    "group_norm": lambda: nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.ReLU(), nn.Flatten(), nn.Linear(16, N_CLASSES)
    ),
    "attention": Attention,
}


@dataclass(frozen=True)
class Case:
    """A model with parameters, training and validation data; labels of some training examples are wrong."""

    model: nn.Module
    state: dict[str, Tensor]
    train: Batch
    validation: Batch
    true_labels: Tensor
    history: list[dict[str, Tensor]]  # states along the training, the last one is `state`

    def gradients(self, state: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Gradient of each training example's loss, one by one by reverse mode: [n, ...] a parameter."""
        parameters, buffers = self.split(state or self.state)

        def loss_of(values: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
            return cross_entropy(functional_call(self.model, {**values, **buffers}, (x[None],)), y[None])

        return vmap(grad(loss_of), in_dims=(None, 0, 0))(parameters, *self.train)

    def objective_gradient(self, state: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Gradient of the mean validation loss."""
        parameters, buffers = self.split(state or self.state)

        def mean(values: dict[str, Tensor]) -> Tensor:
            logits = functional_call(self.model, {**values, **buffers}, (self.validation.inputs,))
            return cross_entropy(logits, self.validation.labels)

        return grad(mean)(parameters)

    def split(self, state: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        names = [name for name, _ in self.model.named_parameters()]
        return {n: state[n] for n in names}, {n: t for n, t in state.items() if n not in names}

    def context(self, **changes: object) -> Context:
        """What a method is given, with two spaced and two early checkpoints, and two folds."""
        states = [self.scaled(scale) for scale in (0.5, 1.0)]
        checkpoints = [
            Checkpoint(state, 10 * k, rate) for k, (state, rate) in enumerate(zip(states, (0.3, 0.1), strict=True))
        ]
        values: dict[str, object] = {
            "train": self.train,
            "n_classes": N_CLASSES,
            "seed": 0,
            "model": self.model,
            "final": self.state,
            "spaced": checkpoints,
            "early": checkpoints,
            "validation": self.validation,
            "true_labels": self.true_labels,
            "objective": loss,
        }
        context = Context(**{**values, **changes})  # type: ignore[arg-type]
        trained: dict[str, object] = {
            "dynamics": dynamics_of(self.model, self.history, context),
            "auxiliary": {
                "folds": [AuxiliaryModel(self.scaled(0.9 + 0.1 * fold), self.fold_of == fold) for fold in range(2)],
                "fine_tuned": further_models([self.scaled(1.2)]),
                "subsets": further_models([self.scaled(1.0 + 0.1 * model) for model in range(10)]),
            },
        }
        return replace(context, **{name: value for name, value in trained.items() if name not in changes})

    @property
    def fold_of(self) -> Tensor:
        """Which of two folds holds an example out [n_train]."""
        return torch.arange(N_TRAIN) % 2

    def scaled(self, scale: float) -> dict[str, Tensor]:
        """Another state: the trained one times `scale`."""
        return {name: scale * tensor for name, tensor in self.state.items()}

    def run(self, scale: float = 1.0, cpu_seconds: float = 0.0) -> Run:
        """A training run of three epochs whose states grow towards the trained one times `scale`."""
        states = {
            epoch: SavedState(epoch, 10 * epoch, 0.1 * share, self.scaled(share * scale))
            for epoch, share in ((1, 0.5), (2, 0.8), (3, 1.0))
        }
        roles = {"final": [3], "spaced": [1, 3], "early": [1, 2], "every": [1, 2, 3]}
        return Run(states, roles, cpu_seconds)

    def trained(self, members: int = 3, cpu_seconds: float = 0.0, n_subsets: int = 5) -> TrainedModels:
        """Everything that a method may need, of some members; n_subsets: models on subsets that each has."""
        runs = {member: self.run(1 + 0.1 * member, cpu_seconds) for member in range(members)}
        states = {member: [saved.state for saved in run.role("every")] for member, run in runs.items()}
        return TrainedModels(
            runs=runs,
            auxiliary={
                "folds": {
                    member: [
                        AuxiliaryRun(self.run(0.9 + 0.1 * fold + 0.1 * member, cpu_seconds), self.fold_of == fold)
                        for fold in range(2)
                    ]
                    for member in runs
                },
                "subsets": {
                    member: [
                        AuxiliaryRun(self.run(1 + 0.05 * number, cpu_seconds), NOTHING)
                        for number in range(n_subsets * member, n_subsets * (member + 1))
                    ]
                    for member in runs
                },
                "fine_tuned": {
                    member: [AuxiliaryRun(self.run(1.2 + 0.1 * member, cpu_seconds), NOTHING)] for member in runs
                },
            },
            dynamics={member: dynamics_of(self.model, states[member], self.context()) for member in runs},
        )


def further_models(states: Iterable[Mapping[str, Tensor]]) -> list[AuxiliaryModel]:
    """Further trained models of these states, which hold out nothing."""
    return [AuxiliaryModel(state, NOTHING) for state in states]


def make_case(name: str) -> Case:
    """The case of that model; the same numbers on every call."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = MODELS[name]().double().eval()
        centres = 2 * torch.randn(N_CLASSES, 1, 4, 4, dtype=torch.float64)
        labels = torch.arange(N_TRAIN + N_VALIDATION) % N_CLASSES
        inputs = centres[labels] + torch.randn(len(labels), 1, 4, 4, dtype=torch.float64)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
        given = labels.clone()
        given[:8] = (given[:8] + 1) % N_CLASSES
        history = []
        for step in range(60):
            optimizer.zero_grad()
            cross_entropy(model(inputs[:N_TRAIN]), given[:N_TRAIN]).backward()
            optimizer.step()
            if step % 4 == 3:
                history.append({key: tensor.detach().clone() for key, tensor in model.state_dict().items()})
    train, validation = slice(None, N_TRAIN), slice(N_TRAIN, None)
    return Case(
        model,
        history[-1],
        Batch(inputs[train], given[train]),
        Batch(inputs[validation], labels[validation]),
        labels[train],
        history,
    )


def inner(left: dict[str, Tensor], right: dict[str, Tensor]) -> Tensor:
    """sum over parameters of left [n, ...] times right [...]: [n]."""
    return sum((left[name].flatten(1) @ right[name].flatten() for name in right), torch.zeros(()))

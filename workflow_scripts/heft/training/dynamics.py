"""What is recorded of each epoch: loss and accuracy, and the logits' verdict on every training example."""

import math

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from heft.devices import CPU
from heft.kernels.calling import call
from heft.kernels.logits import label_and_largest_other
from heft.training.mode import in_mode

CHUNK, CHUNK_BYTES = 1000, 2**26  # most examples that are predicted at once, and bytes of their inputs


@torch.no_grad()
def predict(model: nn.Module, state: dict[str, Tensor], inputs: Tensor) -> Tensor:
    """Logits [n, n_classes] in evaluation mode, under `state`; the model itself is left as it is.

    Those of 16 bits come as float32: they are recorded in tables, which have no such type.
    """
    with in_mode(model, training=False):
        logits = torch.cat([call(model, state, chunk) for chunk in inputs.split(rows_at_once(inputs))])
    return logits.float() if logits.dtype.itemsize == 2 else logits


def rows_at_once(inputs: Tensor) -> int:
    """How many examples are read at once, by the size of one: photos of 224 x 224 take 600 kB each."""
    return max(1, min(CHUNK, CHUNK_BYTES // max(1, inputs.element_size() * math.prod(inputs.shape[1:]))))


def loss_and_accuracy(logits: Tensor, labels: Tensor) -> tuple[float, float]:
    """Mean cross-entropy, in nats, and the share of labels that are the largest logit."""
    return float(cross_entropy(logits, labels)), float((logits.argmax(dim=1) == labels).cpu().double().mean())


def dynamics_of_epoch(run: int, ids: np.ndarray, epoch: int, logits: Tensor, labels: Tensor) -> pd.DataFrame:
    """One row an example: run, id, epoch, label_logit, largest_other_logit, correct."""
    label_logit, largest_other_logit = (part.cpu() for part in label_and_largest_other(logits, labels))
    return pd.DataFrame(
        {
            "run": run,
            "id": ids,
            "epoch": epoch,
            "label_logit": label_logit.numpy(),
            "largest_other_logit": largest_other_logit.numpy(),
            "correct": (label_logit > largest_other_logit).numpy(),
        }
    )


def no_dynamics() -> pd.DataFrame:
    """The same table without a row."""
    none = torch.zeros(0, dtype=torch.int64, device=CPU)
    return dynamics_of_epoch(0, np.array([], dtype=str), 0, torch.zeros(0, 2, device=CPU), none)


def dynamics_of_run(table: pd.DataFrame, run: int, ids: np.ndarray) -> tuple[Tensor, Tensor]:
    """Label's and largest other logit after each epoch but the initial state: two tensors [n_epochs, n], by `ids`."""
    trained = table[(table["run"] == run) & (table["epoch"] > 0)]
    columns = [
        trained.pivot(index="epoch", columns="id", values=column).sort_index()[ids].to_numpy(copy=True)
        for column in ("label_logit", "largest_other_logit")
    ]
    return torch.from_numpy(columns[0]), torch.from_numpy(columns[1])

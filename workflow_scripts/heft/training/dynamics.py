"""What is recorded of each epoch: loss and accuracy, and the logits' verdict on every training example."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

CHUNK = 1000


@torch.no_grad()
def predict(model: nn.Module, state: dict[str, Tensor], inputs: Tensor) -> Tensor:
    """Logits [n, n_classes] in evaluation mode, under `state`; the model itself is left as it is."""
    training = model.training
    model.eval()
    logits = torch.cat([functional_call(model, state, (chunk,)) for chunk in inputs.split(CHUNK)])
    model.train(training)
    return logits


def loss_and_accuracy(logits: Tensor, labels: Tensor) -> tuple[float, float]:
    """Mean cross-entropy, in nats, and the share of labels that are the largest logit."""
    return float(cross_entropy(logits, labels)), float((logits.argmax(dim=1) == labels).double().mean())


def dynamics_of_epoch(ids: np.ndarray, epoch: int, logits: Tensor, labels: Tensor) -> pd.DataFrame:
    """One row an example: id, epoch, label_logit, largest_other_logit, correct."""
    label_logit = logits.gather(1, labels[:, None])[:, 0]
    largest_other_logit = logits.scatter(1, labels[:, None], -torch.inf).amax(dim=1)
    return pd.DataFrame(
        {
            "id": ids,
            "epoch": epoch,
            "label_logit": label_logit.numpy(),
            "largest_other_logit": largest_other_logit.numpy(),
            "correct": (label_logit > largest_other_logit).numpy(),
        }
    )

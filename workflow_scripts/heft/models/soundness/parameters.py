"""What a model's parameters have to be before anything is trained, and which of them training can move."""

import torch
from torch import Tensor, nn

from heft.devices import CPU
from heft.errors import HeftError


def check_parameters(model: nn.Module, label: str) -> None:
    """Raises HeftError where there is nothing to train, or a parameter or buffer is not ordinary or not finite."""
    for name, value in [*model.named_parameters(), *model.named_buffers(), *model.state_dict().items()]:
        if not isinstance(value, Tensor):
            raise HeftError(f"{label}: its state holds {name}, which is no tensor; checkpoints hold tensors alone.")
        check_tensor(name, value, label)
    parameters = dict(model.named_parameters())
    if not parameters:
        raise HeftError(f"{label} has no parameter, so there is nothing to train.")
    if not any(parameter.requires_grad for parameter in parameters.values()):
        raise HeftError(f"{label} has no parameter that training may move: requires_grad is False for all of them.")
    for name, parameter in parameters.items():
        if not parameter.isfinite().all():
            value = parameter[~parameter.isfinite()][0].item()
            raise HeftError(f"{label}: {name} holds {value} at the start, which is not finite; initialise it.")


def reached_parameters(model: nn.Module, logits: Tensor) -> list[str]:
    """Names of the parameters that training may move and that the gradient of the logits reaches."""
    if not logits.requires_grad:
        return []
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    # By torch itself: trainings wait for this check, and an edit of the kernels is none of theirs.
    gradients = torch.autograd.grad(logits.sum(), list(trained.values()), allow_unused=True)
    return [name for name, gradient in zip(trained, gradients, strict=True) if gradient is not None]


def check_tensor(name: str, tensor: Tensor, label: str, device: torch.device = CPU) -> None:
    """Raises HeftError where a parameter or buffer is lazy, complex, sparse, quantised, or not on the device."""
    if nn.parameter.is_lazy(tensor):
        layer = name.rpartition(".")[0] or "itself"
        raise HeftError(f"{label}: {name} has no shape; a forward pass does not reach its lazy layer {layer}.")
    if tensor.device != device:
        where = "models are built on the cpu" if device == CPU else f"expected all of it on {device}"
        raise HeftError(f"{label}: {name} is on the device {tensor.device}; {where}.")
    if tensor.layout != torch.strided or tensor.is_quantized:
        raise HeftError(f"{label}: {name} is sparse or quantised; only dense tensors are known.")
    if tensor.is_complex():
        raise HeftError(f"{label}: {name} is complex; hold its real and its imaginary part as two tensors.")

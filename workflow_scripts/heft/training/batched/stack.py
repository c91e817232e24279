"""Many models of one architecture as one: each parameter and buffer is a stack with one entry a model."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import vmap

from heft.kernels.calling import call, places


class ModelStack:
    """M models from their states [M, ...]; `model` gives the architecture and is left as it is.

    A parameter that stands under several names is one entry here, as it is one in the model.
    """

    def __init__(self, model: nn.Module, initial: dict[str, Tensor]) -> None:
        own = own_names(model)
        self._model, self._names = model, {name: own[name] for name in initial}
        # Matrices of linear layers are stored transposed, [M, in, out]: so autograd delivers their gradients, and none
        # has to be copied.
        weights = {id(module._parameters.get("weight")) for module in model.modules() if isinstance(module, nn.Linear)}
        parameters = dict(model.named_parameters())
        self._turned = {name for name, parameter in parameters.items() if id(parameter) in weights}
        self.tensors = {
            name: self.turn(name, initial[name])
            .detach()
            .clone(memory_format=torch.contiguous_format)
            .requires_grad_(name in parameters and parameters[name].requires_grad)
            for name in dict.fromkeys(own for place, own in places(model).items() if place in initial)
        }

    @property
    def trained(self) -> dict[str, Tensor]:
        """The parameters that training may move, by name."""
        return {name: tensor for name, tensor in self.tensors.items() if tensor.requires_grad}

    def logits(self, inputs: Tensor, shared: bool) -> Tensor:
        """[M, batch, classes] of inputs [batch, ...] that are `shared` by all models, else [M, batch, ...]."""
        return vmap(self._logits_of_one, in_dims=(0, None if shared else 0))(self.tensors, inputs)

    def states(self) -> dict[str, Tensor]:
        """Copies of the states [M, ...], by the names of `initial`."""
        tensors = {name: self.turn(name, tensor).detach() for name, tensor in self.tensors.items()}
        whole = torch.contiguous_format
        return {name: tensors[own].clone(memory_format=whole) for name, own in self._names.items()}

    def turn(self, name: str, tensor: Tensor) -> Tensor:
        """From the layout of the model to that of the stack and back, for a tensor under that name."""
        return tensor.mT if name in self._turned else tensor

    def _logits_of_one(self, entry: dict[str, Tensor], inputs: Tensor) -> Tensor:
        turned = {name: self.turn(name, tensor) for name, tensor in entry.items()}
        return call(self._model, turned, inputs)


def own_names(model: nn.Module) -> dict[str, str]:
    """The first name of each parameter and buffer, by each of its names in the state dictionary."""
    first: dict[int, str] = {}
    tensors = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
    return {name: first.setdefault(id(tensor), name) for name, tensor in tensors}


def stack_states(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """One dictionary of tensors [M, ...] from M dictionaries."""
    return {name: torch.stack([state[name] for state in states]) for name in states[0]}


def unstack_state(states: dict[str, Tensor], member: int) -> dict[str, Tensor]:
    """The state of one model of a stack."""
    return {name: tensor[member].clone() for name, tensor in states.items()}

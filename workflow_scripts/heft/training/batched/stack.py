"""Many models of one architecture as one: each parameter and buffer is a stack with one entry a model."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import vmap

from heft.training.functional import call_with, own_names, places


class ModelStack:
    """M models from their states [M, ...]; `model` gives the architecture and is left as it is.

    A parameter that stands under several names is one entry here, as it is one in the model.
    """

    def __init__(self, model: nn.Module, initial: dict[str, Tensor]) -> None:
        self._model, self._own_names = model, own_names(model)
        self._names, self._places = list(initial), [name for name in places(model) if name in initial]
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
            for name in dict.fromkeys(self._own_names[place] for place in self._places)
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
        found = {name: self.turn(name, tensor).detach() for name, tensor in self.tensors.items()}
        whole = torch.contiguous_format
        return {name: found[self._own_names[name]].clone(memory_format=whole) for name in self._names}

    def turn(self, name: str, tensor: Tensor) -> Tensor:
        """From the layout of the model to that of the stack and back, for a tensor under that name."""
        return tensor.mT if name in self._turned else tensor

    def _logits_of_one(self, entry: dict[str, Tensor], inputs: Tensor) -> Tensor:
        turned = {name: self.turn(name, tensor) for name, tensor in entry.items()}
        return call_with(self._model, {place: turned[self._own_names[place]] for place in self._places}, inputs)


def stack_states(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """One dictionary of tensors [M, ...] from M dictionaries."""
    return {name: torch.stack([state[name] for state in states]) for name in states[0]}


def unstack_state(states: dict[str, Tensor], member: int) -> dict[str, Tensor]:
    """The state of one model of a stack."""
    return {name: tensor[member].clone() for name, tensor in states.items()}

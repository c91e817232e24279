"""The model as a function of its parameters: evaluation mode, batches, and the layer that an error comes from."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from heft.errors import HeftError
from heft.kernels.calling import call

State = Mapping[str, Tensor]  # parameters and buffers by name
Direction = Mapping[str, Tensor]  # one tensor a parameter, of its shape
Loss = Callable[[Tensor, Tensor], Tensor]  # (logits [n, n_classes], labels [n]) -> losses [n]

MEMORY_BUDGET = 16 * 2**20  # bytes of activations a batch may hold; larger batches leave the cache and are not faster
SMALL_BUDGET = 4 * 2**20  # the same for more than LARGE_BATCH examples, which gain little but fewer calls
SMALLEST_BATCH, LARGE_BATCH, LARGEST_BATCH = 32, 256, 1024  # below 32 convolutions cost up to twice as much an example


def parameters_of(model: nn.Module, state: State) -> dict[str, Tensor]:
    """The parameters in `state`, in the model's order, without buffers; they require no gradient.

    Raises HeftError where the state lacks a parameter or buffer of the model, or has one of another shape.
    """
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if name not in state:
            if _is_kept_by_the_model(model, name):
                continue
            raise HeftError(f"The model state has no {name}, which the model {type(model).__name__} needs.")
        if state[name].shape != tensor.shape:
            given, expected = list(state[name].shape), list(tensor.shape)
            raise HeftError(f"The model state has {name} of shape {given}; the model needs {expected}.")
    return {name: state[name].detach() for name, _ in model.named_parameters()}


def buffers_of(model: nn.Module, state: State) -> dict[str, Tensor]:
    """The buffers (BatchNorm's running statistics, say) in `state`; the model's own where it keeps them from its state
    dictionary."""
    return {name: state.get(name, tensor).detach() for name, tensor in model.named_buffers()}


def values_of(model: nn.Module, state: State) -> dict[str, Tensor]:
    """Parameters and buffers; each once, where the model has several names for one."""
    return {**parameters_of(model, state), **buffers_of(model, state)}


def _is_kept_by_the_model(model: nn.Module, name: str) -> bool:
    """Whether a buffer is not persistent, so that no state has it."""
    return name not in model.state_dict()


@contextmanager
def evaluation(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, and attention by plain products (its fused kernels have no forward mode); restored after."""
    training = [module for module in model.modules() if module.training]
    fast_path = torch.backends.mha.get_fastpath_enabled()
    model.eval()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
        for module in training:
            module.training = True


def logits_of(model: nn.Module, state: State, inputs: Tensor, batch_size: int | None = None) -> Tensor:
    """Logits [n, n_classes] in evaluation mode, without a graph."""
    values = values_of(model, state)
    size = batch_size or batch_size_for(model, state, inputs)
    with torch.no_grad(), evaluation(model):
        return torch.cat([call(model, values, x) for x in inputs.split(size)])


def batch_size_for(model: nn.Module, state: State, inputs: Tensor, tangents: int = 1) -> int:
    """A power of two in 32..1024 such that the activations of a batch, each with its tangents, stay in the budget; for
    more than 256 examples in the smaller one.

    A function of the model's shapes alone, so that bits of a score do not depend on how much memory happens to be free.
    """
    size = activation_bytes(model, state, inputs) * (1 + tangents)
    fitting = max(min(LARGE_BATCH, MEMORY_BUDGET // size), min(LARGEST_BATCH, SMALL_BUDGET // size), SMALLEST_BATCH)
    return 2 ** int(math.log2(fitting))


def activation_bytes(model: nn.Module, state: State, inputs: Tensor) -> int:
    """Bytes of every module's output for one example, views left out; at least 1."""
    sizes: list[int] = []

    def count(_module: nn.Module, given: tuple[object, ...], output: object) -> None:
        if isinstance(output, Tensor) and not any(share_memory(output, tensor) for tensor in given):
            sizes.append(output.numel() * output.element_size())

    hooks = [module.register_forward_hook(count) for module in model.modules() if not any(module.children())]
    try:
        with torch.no_grad(), evaluation(model):
            call(model, values_of(model, state), inputs[:1])
    finally:
        for hook in hooks:
            hook.remove()
    return max(1, sum(sizes))


def share_memory(left: Tensor, right: object) -> bool:
    """Whether one of them is a view of the other, or both are of a third."""
    return isinstance(right, Tensor) and left.untyped_storage().data_ptr() == right.untyped_storage().data_ptr()


class LayerTrace:
    """Knows, when a forward pass fails, the innermost layer that was running."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.running: list[str] = []

    @contextmanager
    def record(self) -> Iterator[None]:
        """Records which layers are entered and left."""
        hooks = []
        for name, module in self.model.named_modules():
            label = f"{name or 'the model itself'} ({type(module).__name__})"
            hooks.append(module.register_forward_pre_hook(lambda *_, label=label: self.running.append(label)))
            hooks.append(module.register_forward_hook(lambda *_: _drop_last(self.running)))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def _drop_last(running: list[str]) -> None:
    running.pop()

"""Which parameters a method looks at: all, those of the last layer, or of the layers that a pattern names."""

from fnmatch import fnmatchcase

from torch import nn

from heft.errors import HeftError


def selected_parameters(model: nn.Module, which: str) -> tuple[str, ...]:
    """Names of the parameters that `which` selects, in the model's order.

    which: `all`; `last`, the last layer that owns parameters; or a pattern of layer names such as `layer4.*`, where `*`
    is any text. Layers are taken whole. Raises HeftError naming the layers where none fits.
    """
    layers = {
        name: [f"{name}.{key}" if name else key for key, _ in layer.named_parameters(recurse=False)]
        for name, layer in model.named_modules()
        if any(True for _ in layer.parameters(recurse=False))
    }
    if which == "last":
        chosen = [*layers][-1:]
    else:
        chosen = [name for name in layers if which == "all" or fnmatchcase(name, which)]
    if not chosen:
        raise HeftError(f'parameters is "{which}"; it must be all, last, or fit a layer: {", ".join(layers)}.')
    names = {parameter for layer in chosen for parameter in layers[layer]}
    return tuple(name for name, _ in model.named_parameters() if name in names)

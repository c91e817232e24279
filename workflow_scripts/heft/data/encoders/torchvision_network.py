"""torchvision_network: what goes into the classifier of any of torchvision's networks, by its name."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le
from torch import Tensor, nn

from heft.data.encoders.classifier import ClassifierFeatures
from heft.data.encoders.declare import Encoder, encoder
from heft.data.encoders.weights import put_in
from heft.errors import HeftError
from heft.phrases import nearest
from heft.state_files import read_state

# Of ImageNet, which all of torchvision's classifiers were trained on.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@encoder(
    modality="images",
    origin="torchvision.models; weights trained on ImageNet, or a person's own",
    licence="BSD-3-Clause (torchvision); that of the weights is their own",
    paths=("weights",),
    packages={"torchvision": "torchvision"},
)
def torchvision_network(
    *, name: str, weights: str | None = None, size: Annotated[int, Ge(32), Le(1024)] | None = None
) -> Encoder:
    """name: such as resnet18. weights: a file, safetensors or of torch.save; null: torchvision's newest, from its cache
    or by a download. size: pixels that pictures are brought to; null: 224, or what the newest weights are for.
    """
    from torchvision import models

    known = models.list_models(module=models)
    if name not in known:
        raise HeftError(f'Encoder torchvision_network: name is "{name}"{nearest(name, known)}')
    network = models.get_model(name, weights=None)
    last = last_layer(network, name)
    network.set_submodule(last, nn.Identity())
    if weights is None:
        state, usual_size = fetched(name)
        source = f"the weights that torchvision has for {name}"
    else:
        file = Path(weights)
        state, usual_size = read_state(file, "Encoder torchvision_network"), 224
        source = f"the weights in {file}"
    put_in(network, state, [last], f"Encoder torchvision_network: {source}")
    return ClassifierFeatures("torchvision_network", network, size or usual_size, MEAN, STD)


def last_layer(network: nn.Module, name: str) -> str:
    """The name of the linear layer that gives the logits."""
    linear = [path for path, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise HeftError(f"Encoder torchvision_network: {name} has no linear layer that could be its classifier.")
    return linear[-1]


def fetched(name: str) -> tuple[dict[str, Tensor], int]:
    """The newest weights of a network, and the size of pictures that they are for."""
    from torchvision.models import get_model_weights

    newest = get_model_weights(name).DEFAULT
    try:
        state = newest.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:
        raise HeftError(
            f"Encoder torchvision_network: the weights of {name} are not on this machine, and their download from "
            f"{newest.url} failed ({error}); give the path of a file as weights."
        ) from error
    return dict(state), newest.transforms().crop_size[0]

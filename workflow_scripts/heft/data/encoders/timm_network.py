"""timm_network: what goes into the classifier of any of timm's networks, by its name."""

from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Le

from heft.data.encoders.classifier import ClassifierFeatures
from heft.data.encoders.declare import Encoder, encoder
from heft.data.encoders.weights import put_in
from heft.errors import HeftError
from heft.phrases import nearest
from heft.state_files import read_state


@encoder(
    modality="images",
    origin="pip package timm; weights from the Hugging Face hub, or a person's own",
    licence="Apache-2.0 (timm); that of the weights is their own",
    paths=("weights",),
    packages={"timm": "timm"},
)
def timm_network(
    *, name: str, weights: str | None = None, size: Annotated[int, Ge(32), Le(1024)] | None = None
) -> Encoder:
    """name: such as resnet18.a1_in1k. weights: a file, safetensors or of torch.save; null: timm's, from the cache of
    the hub or by a download. size: pixels that pictures are brought to; null: those of the network's training.
    """
    import timm

    if not timm.is_model(name):
        raise HeftError(f'Encoder timm_network: name is "{name}"{nearest(name, timm.list_models())}')
    try:
        network = timm.create_model(name, pretrained=weights is None, num_classes=0)
    except (OSError, RuntimeError, ValueError) as error:
        raise HeftError(
            f"Encoder timm_network: the weights of {name} are not on this machine, and their download failed "
            f"({' '.join(str(error).split())[:200]}); give the path of a file as weights."
        ) from error
    facts: Any = network.pretrained_cfg
    if weights is not None:
        file = Path(weights)
        heads = facts["classifier"]  # several where the network was distilled
        heads = [heads] if isinstance(heads, str) else heads
        put_in(network, read_state(file, "Encoder timm_network"), heads, f"Encoder timm_network: the weights in {file}")
    return ClassifierFeatures("timm_network", network, size or facts["input_size"][1], facts["mean"], facts["std"])

"""What a model has: how many numbers training moves, and how much memory a state takes."""

from collections.abc import Mapping

from heft.checking.subject import Subject


def facts_of(subject: Subject) -> Mapping[str, int]:
    """Numbers in its parameters: `trained`, `frozen`, `unreached` (of the trained: no gradient comes to them); and the
    bytes of one state."""
    sizes = {name: parameter.numel() for name, parameter in subject.model.named_parameters()}
    trained, reached = set(subject.trained), set(subject.reached)
    return {
        "trained": sum(size for name, size in sizes.items() if name in trained),
        "frozen": sum(size for name, size in sizes.items() if name not in trained),
        "unreached": sum(size for name, size in sizes.items() if name in trained - reached),
        "state_bytes": sum(tensor.numel() * tensor.element_size() for tensor in subject.model.state_dict().values()),
    }

"""model_size: how many bytes one state of each model takes; a list of specifications on stdin, sizes on stdout.

Handed over to the warm process, where there is one.
"""

import json
import sys

from heft.errors import HeftError
from heft.warm import hand_over


def main() -> None:
    """Builds each model once; a mistake in one is one sentence."""
    from heft.models.build import ModelSpec

    models = [ModelSpec(**specification).build(0) for specification in json.load(sys.stdin)]
    sizes = [sum(one.numel() * one.element_size() for one in model.state_dict().values()) for model in models]
    print(json.dumps(sizes))


if (status := hand_over(__file__)) is not None:
    sys.exit(status)
try:
    main()
except HeftError as error:
    sys.exit(str(error))

"""check: whether a model of one's own is sound, and which methods can run on it; without data, in a few seconds.

.venv/bin/python workflow_scripts/check.py my_models:build --input 1,28,28 --classes 10
.venv/bin/python workflow_scripts/check.py my_models:build --input 1,28,28 --classes 10 --option width=24
.venv/bin/python workflow_scripts/check.py --configfile mine.yaml
"""

import argparse
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path

from heft.errors import HeftError
from heft.workflow.planning.asked import Asked, asked_by_configuration, option_of, shape_of

os.environ["OMP_NUM_THREADS"] = "1"


def main(arguments: list[str] | None = None) -> int:
    """Prints a table for each model; 1 where one is not sound."""
    parser = argparse.ArgumentParser(
        prog="check.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("model", nargs="?", help="module:function beside this folder, or a registered name such as mlp")
    parser.add_argument("--input", type=shape_of, metavar="1,28,28", help="shape of one input")
    parser.add_argument("--classes", type=int, metavar="10", help="number of classes")
    parser.add_argument(
        "--option",
        type=option_of,
        action="append",
        default=[],
        metavar="width=24",
        help="option of the model, repeatable",
    )
    parser.add_argument(
        "--configfile", type=Path, metavar="mine.yaml", help="checks the model of each experiment in it"
    )
    given = parser.parse_args(arguments)
    try:
        if given.configfile:
            return check(asked_by_configuration(given.configfile))
        if not given.model or given.input is None or given.classes is None:
            parser.error("give a model with --input and --classes, or --configfile")
        return check([Asked.of_model(given.model, dict(given.option), given.input, given.classes)])
    except HeftError as error:
        print(error, file=sys.stderr)
        return 1


def check(all_asked: list[Asked]) -> int:
    """Checks each model, also after one that is refused."""
    from heft.checking.model_check import check_model
    from heft.checking.table import table
    from heft.models.build import ModelSpec

    status = 0
    for asked in all_asked:
        try:
            with redirect_stdout(sys.stderr):
                checked = check_model(ModelSpec(**asked.model), asked.methods, asked.kinds, objective=asked.objective)
        except HeftError as error:
            print(f"{asked.title}{error}", file=sys.stderr)
            status = 1
            continue
        print(f"{asked.title}{table(checked)}")
        if checked.mistake:
            print(checked.mistake, file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())

"""The command line: `python -m heft new` begins an experiment on your data, `methods` lists the methods, `schema` says
what a configuration may hold, `suspects` finds doubtful labels in files.
"""

import argparse
import importlib
import json
import sys
from typing import Any

from heft.command_line.suspects_parser import add_arguments
from heft.faults import sentence_of


def main(arguments: list[str] | None = None) -> int:
    """Prints what was asked for; returns the exit status."""
    import heft

    parser = argparse.ArgumentParser(prog="python -m heft", description=heft.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    methods = commands.add_parser("methods", help="lists the methods, or tells of one")
    methods.add_argument("name", nargs="?", help="of one method")
    commands.add_parser("schema", help="prints the JSON schema of configuration files, for editors")
    suspects = commands.add_parser("suspects", help="finds doubtful labels by files of predictions or embeddings alone")
    add_arguments(suspects)
    new = commands.add_parser("new", help="looks at your data and writes a configuration file for them")
    new.add_argument("name", help="of the experiment, and of its file")
    new.add_argument("data", help="a folder of images or texts, a table, or arrays")
    new.add_argument("--target", help="the column of labels, where the data are a table or texts")
    asked = parser.parse_args(arguments)
    try:
        if asked.command == "suspects":
            from heft.command_line.suspects import run  # here, since it imports torch

            run(asked)
        elif asked.command == "new":
            _of_workflow("new_experiment.command").new(asked.name, asked.data, asked.target)
        else:
            print(heft.methods(asked.name) if asked.command == "methods" else _schema())
    except Exception as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        print(sentence, file=sys.stderr)
        return 1
    return 0


def _schema() -> str:
    """The schema of a file, which may hold just the keys that differ."""
    schema = _of_workflow("configuration.settings").schema()
    return json.dumps({key: value for key, value in schema.items() if key != "required"}, indent=2)


def _of_workflow(module: str) -> Any:
    """A module of the workflow; raises HeftError where what it needs is not installed."""
    from heft.errors import HeftError

    try:
        return importlib.import_module(f"heft.workflow.{module}")
    except ModuleNotFoundError as error:
        raise HeftError(f"the workflow needs {error.name}: pip install 'heft[workflow]'") from error


if __name__ == "__main__":
    sys.exit(main())

"""The command line: `python -m heft methods` lists the methods, `schema` says what a file may hold, `suspects` finds
doubtful labels in files.
"""

import argparse
import json
import sys

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
    asked = parser.parse_args(arguments)
    try:
        if asked.command == "suspects":
            from heft.command_line.suspects import run  # here, since it imports torch

            run(asked)
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
    """The schema of a file, which may hold just the keys that differ; raises HeftError where the extra is missing."""
    from heft.errors import HeftError

    try:
        from heft.workflow.configuration.settings import schema
    except ModuleNotFoundError as error:
        raise HeftError(f"the workflow needs {error.name}: pip install 'heft[workflow]'") from error
    return json.dumps({key: value for key, value in schema().items() if key != "required"}, indent=2)


if __name__ == "__main__":
    sys.exit(main())

"""The command line: `python -m heft methods` lists the methods, `python -m heft methods if_cg` tells of one."""

import argparse
import sys


def main(arguments: list[str] | None = None) -> int:
    """Prints what was asked for; returns the exit status."""
    import heft

    parser = argparse.ArgumentParser(prog="python -m heft", description=heft.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    methods = commands.add_parser("methods", help="lists the methods, or tells of one")
    methods.add_argument("name", nargs="?", help="of one method")
    asked = parser.parse_args(arguments)
    try:
        print(heft.methods(asked.name))
    except heft.HeftError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""read_configuration: reads each --configfile of a command line, as `make run` does first.

Snakemake reads them before any line of the Snakefile, and ends in a traceback where one is missing or not text.
"""

import argparse
import sys
from pathlib import Path

from heft.errors import HeftError
from heft.workflow.configuration.files import read_file


def main(arguments: list[str]) -> None:
    """Raises HeftError for the first that cannot be read; other arguments are Snakemake's."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", action="extend", default=[], dest="files")
    for file in parser.parse_known_args(arguments)[0].files:
        read_file(Path(file))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except HeftError as error:
        sys.exit(str(error))

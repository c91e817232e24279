"""warm: the process that runs stage scripts without importing torch anew for each; started with a run, ends with it."""

import os
import shutil
import sys

from heft.workflow.runtime.fork_server import serve

if __name__ == "__main__":
    serve(sys.argv[1])
    # The run made this folder for the socket, and may have been killed.
    shutil.rmtree(os.path.dirname(sys.argv[1]), ignore_errors=True)

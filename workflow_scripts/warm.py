"""warm: the process that runs stage scripts without importing torch anew for each; started with a run, ends with it."""

import sys

from heft.warm import serve

if __name__ == "__main__":
    serve(sys.argv[1])

"""The one exception that is meant for the person who runs Heft."""


class HeftError(Exception):
    """A mistake in the configuration, the data or a method's use, said in one sentence.

    The message names the key, file, row or layer, the value, and what is allowed. Stage scripts print it
    without a traceback and exit with status 1.
    """

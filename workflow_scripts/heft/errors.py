"""What is said to the person who runs Heft: an exception for mistakes, and a warning."""


class HeftError(Exception):
    """A mistake in the configuration, the data or a method's use, said in one sentence.

    The message names the key, file, row or layer, the value, and what is allowed. Stage scripts print it
    without a traceback and exit with status 1.
    """


class HeftWarning(UserWarning):
    """What a method says of its own scores, such as that noise dominates them."""

"""Says every few seconds how far a long piece of work is, and how long it will still take."""

import time
from collections.abc import Callable

EVERY = 5.0  # seconds


class Progress:
    """Counts what is done of `n`, and calls `tell` with a line, at most every few seconds.

    clock: seconds, as `time.monotonic` counts them.
    """

    def __init__(self, n: int, tell: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._n, self._tell, self._clock = n, tell, clock
        self._started = self._told = clock()
        self._done = self._worked = 0

    def summary(self) -> str:
        """What was done, in the end."""
        seconds = self._clock() - self._started
        return f"{self._n:,} examples, {self._worked:,} of them encoded anew, in {duration(seconds)}"

    def add(self, done: int, worked: int) -> None:
        """done: examples further on. worked: how many of them took time."""
        self._done += done
        self._worked += worked
        now = self._clock()
        if now - self._told >= EVERY and self._worked and self._done < self._n:
            self._told = now
            rate = self._worked / (now - self._started)
            self._tell(
                f"{self._done:,} of {self._n:,} examples, {rate:.0f} a second, "
                f"{duration((self._n - self._done) / rate)} left"
            )


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `2 h 5 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"

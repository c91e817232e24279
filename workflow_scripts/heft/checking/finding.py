"""What a check found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What was asked, and the answer: `holds`, or the reason why not; a note says more of what holds."""

    what: str
    reason: str = ""
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether there is no reason why not."""
        return not self.reason

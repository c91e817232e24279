"""The measure that an experiment is judged by, in words and numbers as the report writes them."""

from dataclasses import dataclass

from heft.evaluation.columns import LOSS
from heft.evaluation.statistics import Estimate
from heft.reporting.wording import SPACE, decimal, difference_text, percent, points

PERCENT = "%"
MOST_FURTHER_DIGITS = 3


@dataclass(frozen=True)
class Measure:
    """What a retrained model is judged by on the test split.

    name: a column of the comparison table, or a metric of the long form. title: its name in a sentence. unit: "%" for a
    fraction that is shown in percent, else what stands behind a number.
    chosen_by: the objective on the validation split whose lowest value chooses. objective: its title in a sentence.
    does: what it is, in a sentence.

    Gains are signed so that above 0 is better, whatever `higher_is_better` says.
    """

    name: str
    title: str
    unit: str = PERCENT
    higher_is_better: bool = True
    chosen_by: str = LOSS
    objective: str = LOSS
    does: str = ""

    @property
    def short(self) -> str:
        """The title where there is little room: all measures are of the test split."""
        return self.title.removeprefix("test ")

    @property
    def sign(self) -> int:
        """What a difference is multiplied by so that above 0 is better."""
        return 1 if self.higher_is_better else -1

    @property
    def scale(self) -> int:
        """What a value is multiplied by where it is written or drawn."""
        return 100 if self.unit == PERCENT else 1

    @property
    def validated_by(self) -> str:
        """What validation chooses by: `validation loss`."""
        return f"validation {self.objective}"

    @property
    def improved(self) -> str:
        """The verb of a gain."""
        return "raised" if self.higher_is_better else "reduced"

    @property
    def worsened(self) -> str:
        """The verb of a loss."""
        return "lowered" if self.higher_is_better else "increased"

    @property
    def change(self) -> str:
        """What a signed gain is called on an axis."""
        return "change" if self.higher_is_better else "improvement"

    @property
    def difference_to(self) -> str:
        """What a signed difference to something is called on an axis."""
        return f"difference of {self.title} to" if self.higher_is_better else f"improvement of {self.title} over"

    @property
    def direction(self) -> str:
        """How a signed gain is to be read; empty where higher is better, which needs no words."""
        return "" if self.higher_is_better else f"Signed so that above 0 is better: a lower {self.title}."

    @property
    def gain_unit(self) -> str:
        """The unit of a difference."""
        return "points" if self.unit == PERCENT else self.unit

    @property
    def axis(self) -> str:
        """The label of an axis of values."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def gain_axis(self, of: str) -> str:
        """The label of an axis of differences."""
        return f"{of} ({self.gain_unit})" if self.gain_unit else of

    def number(self, value: float, further_digits: int = 0) -> str:
        """A value without its unit: 79.6; three decimals where the unit is not percent, and so many more."""
        return percent(value, 1 + further_digits) if self.scale == 100 else decimal(value, 3 + further_digits)

    def change_of_level(self, before: float, after: float) -> str:
        """`from 79.6 to 88.1 %`; with more decimals where rounding makes a change of what is none: 85.64 to 85.66 %."""
        digits = 0
        while digits < MOST_FURTHER_DIGITS and self._rounding_misleads(before, after, digits):
            digits += 1
        unit = f"{SPACE}{self.unit}" if self.unit else ""
        return f"from {self.number(before, digits)} to {self.number(after, digits)}{unit}"

    def _rounding_misleads(self, before: float, after: float, digits: int) -> bool:
        changed = self.number(before, digits) != self.number(after, digits)
        return changed and self.number(abs(after - before), digits) == self.number(0.0, digits)

    def level(self, value: float) -> str:
        """A value with its unit: 79.6 %."""
        return f"{self.number(value)}{SPACE}{self.unit}" if self.unit else self.number(value)

    def gain(self, difference: float) -> str:
        """A difference with a sign, without its unit: +8.5."""
        return points(difference) if self.scale == 100 else difference_text(difference, 3)

    def gain_with_unit(self, difference: float) -> str:
        """The same with its unit: +8.5 points."""
        return f"{self.gain(difference)} {self.gain_unit}".rstrip()

    def gain_interval(self, estimate: Estimate) -> str:
        """+7.3 to +9.7, or nothing where there is no interval."""
        return f"{self.gain(estimate.low)} to {self.gain(estimate.high)}" if estimate.has_interval else ""

"""Where the numbers that a model sees of a row of mixed columns stand: the same for each training split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class CategoryBlock:
    """The columns of a model for the categories of one column: `start` to `start + width`.

    column: its place in a row. n_words: how many categories there are; a missing value is the one of that number.
    """

    name: str
    column: int
    n_words: int
    start: int
    width: int


@dataclass(frozen=True)
class Layout:
    """First the numeric columns, then for each of `with_missing` whether its number is missing, then category blocks.

    numeric, with_missing: places in a row.
    """

    numeric: list[int]
    with_missing: list[int]
    blocks: list[CategoryBlock]
    max_categories: int

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        categories: Mapping[str, Sequence[str]],
        with_missing: Sequence[str],
        max_categories: int,
    ) -> "Layout":
        """Of columns whose `categories` are known; of `with_missing` categorical ones get one more category."""
        numeric = [column for column, name in enumerate(names) if name not in categories]
        missing = [column for column in numeric if names[column] in with_missing]
        blocks, start = [], len(numeric) + len(missing)
        for column, name in enumerate(names):
            if name in categories:
                n_words = len(categories[name])
                width = min(n_words + (name in with_missing), max_categories)
                blocks.append(CategoryBlock(name, column, n_words, start, width))
                start += width
        return cls(numeric, missing, blocks, max_categories)

    @property
    def width(self) -> int:
        """How many numbers a model sees of a row."""
        last = self.blocks[-1:]
        return last[0].start + last[0].width if last else len(self.numeric) + len(self.with_missing)

"""What the generators of pages share: wrapped prose, lines of tables, and the part of a page that is made anew."""

import textwrap

WIDTH = 120


def paragraphs(text: str) -> str:
    """Each paragraph of a text, wrapped; an empty line stands between two."""
    parts = (" ".join(part.split()) for part in text.strip().split("\n\n"))
    return "\n\n".join(textwrap.fill(part, WIDTH, break_on_hyphens=False, break_long_words=False) for part in parts)


def table_line(*cells: str) -> str:
    """A line of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def replaced(text: str, begin: str, end: str, made: str) -> str:
    """The text with `made` between the lines `begin` and `end`, in the place of what stood there."""
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{made}\n{end}{after}"


def bullet(text: str) -> str:
    """An item of a list, wrapped."""
    return textwrap.fill(
        text, WIDTH, initial_indent="* ", subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
    )

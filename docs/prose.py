"""Wraps prose of generated pages, so that no line is longer than a reader's editor is wide."""

import textwrap

WIDTH = 120


def paragraphs(text: str) -> str:
    """Each paragraph of a text, wrapped; an empty line stands between two."""
    found = (" ".join(part.split()) for part in text.strip().split("\n\n"))
    return "\n\n".join(textwrap.fill(part, WIDTH, break_on_hyphens=False, break_long_words=False) for part in found)


def bullet(text: str) -> str:
    """An item of a list, wrapped."""
    return textwrap.fill(
        text, WIDTH, initial_indent="* ", subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
    )

"""Fills the templates of pages; knows nothing of what they say."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"


def verbatim(name: str) -> Markup:
    """A style or a script of `templates/`, to stand in a page as it is."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def filled(template: str, filters: Mapping[str, Callable[..., Any]] = MappingProxyType({}), **values: Any) -> str:
    """The page that a template makes of `values` and the style, without blank lines; same values, same bytes."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    page = environment.get_template(template).render(style=verbatim("style.css"), **values)
    return re.sub(r"\n\s*\n+", "\n", page)

"""What a configuration asks of an encoder: its name and options, which tell its features from those of others."""

from collections.abc import Mapping
from typing import Any

from heft.declaration import Declaration


def all_options(declaration: Declaration, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, those included that are at their default."""
    return {name: declaration.value_of(name, options) for name in declaration.options}


def asked_of(declaration: Declaration, options: Mapping[str, Any]) -> dict[str, Any]:
    """Name and all options but those that name a person's file, which counts by its content wherever it lies."""
    paths = declaration.fields["paths"]
    chosen = {name: value for name, value in all_options(declaration, options).items() if name not in paths}
    return {"encoder": declaration.name, "options": chosen}

"""What a data source declares, and what it returns: `RawData`."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heft.artifacts import sha256_of_file
from heft.data.raw_data import RawData
from heft.errors import HeftError


@dataclass(frozen=True)
class Source:
    """A registered source: called with `data_dir` (or None) and its options, it returns `RawData`."""

    name: str
    read: Callable[..., RawData]
    origin: str
    licence: str
    sha256: dict[str, str]

    def __call__(self, data_dir: Path | None = None, **options: Any) -> RawData:
        return self.read(data_dir, **options)

    def file(self, name: str, data_dir: Path | None, *, package: str, folder: str) -> Path:
        """The declared file: from `data_dir/{source}/` or `data_dir/` where it is there, else from the pip package.

        Raises HeftError where the file is nowhere, or is not the one whose SHA-256 is declared.
        """
        beside = [data_dir / self.name / name, data_dir / name] if data_dir else []
        path = next((path for path in [*beside, *packaged(package, folder, name)] if path.is_file()), None)
        if path is None:
            raise HeftError(
                f"Data source {self.name}: {name} was not found; install its origin ({self.origin}), "
                f"or put {name} into the folder that data_dir names."
            )
        digest = sha256_of_file(path)
        if digest != self.sha256[name]:
            raise HeftError(
                f"Data source {self.name}: {path} is not the file that is expected (changed or truncated): "
                f"SHA-256 expected {self.sha256[name]}, found {digest}."
            )
        return path


def source(
    *,
    origin: str = "",
    licence: str = "",
    sha256: dict[str, str] | None = None,
    size: dict[str, Any] | None = None,
    modality: str | None = None,
    true_labels: bool | None = False,
    paths: Sequence[str] = (),
    threads: int = 1,
    near_duplicates: bool = True,
) -> Callable[[Callable[..., RawData]], Source]:
    """Registers a data source: its public origin, its licence, and the SHA-256 of each file that it reads.

    size: n, input_shape and n_classes, from which the disk space of a run is estimated before anything is read.
    modality: what its inputs are, where that does not depend on its files; an encoder of another one is refused before
    a run, and where no model takes them, such as texts, an encoder is asked for.
    true_labels: whether the source gives them, so that a method which needs them may run without planted noise; None
    where its options decide. paths: its options that name a person's own file or folder; each is known by what is in
    it, and one that is not absolute is beside the configuration. threads: that are of use in reading it, at most.
    near_duplicates: whether examples that are nearly the same stay in one split, where the configuration does not say.
    """

    def register(read: Callable[..., RawData]) -> Source:
        return Source(read.__name__, read, origin, licence, sha256 or {})

    return register


def packaged(package: str, folder: str, name: str) -> list[Path]:
    # find_spec does not import the package, which takes seconds for some.
    specification = importlib.util.find_spec(package)
    locations = specification.submodule_search_locations if specification else None
    return [Path(location) / folder / name for location in locations or []]

"""What an encoder declares and does: it turns raw examples into features, once, and is not trained."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heft.artifacts import sha256_of_file
from heft.errors import HeftError

if TYPE_CHECKING:
    from torch import Tensor


class Encoder(ABC):
    """A frozen network, or a fixed rule.

    width: features of an example. files: {name: SHA-256} of all that features depend on beside code and options, such
    as weights and a vocabulary. batch_size: `encode` is called with just as many examples (the last ones are filled
    up), because the number of rows of a matrix product changes the bits of each row.
    """

    width: int
    files: Mapping[str, str]
    batch_size: int = 16

    @abstractmethod
    def encode(self, batch: Any) -> "Tensor":
        """Float32 [n, width]. batch: of images uint8 [n, 3, height, width], red, green and blue of 0..255; of texts
        a list of n; of another modality its rows of `inputs` as a tensor [n, ...].

        An example's features may not depend on the others in the batch. Called by several threads at once.
        """


@dataclass(frozen=True)
class EncoderKind:
    """A registered encoder: called with its options, it returns an `Encoder`."""

    name: str
    build: Callable[..., Encoder]
    packages: Mapping[str, str]
    sha256: Mapping[str, str]

    def __call__(self, **options: Any) -> Encoder:
        check_installed(self.name, self.packages)
        return self.build(**options)

    def file(self, package: str, path: str) -> Path:
        """A declared file of an installed package; raises HeftError where it is missing, or has another SHA-256."""
        specification = find_spec(package)  # the package itself is not imported
        folders = specification.submodule_search_locations if specification else None
        file = next((place for folder in folders or [] if (place := Path(folder) / path).is_file()), None)
        again = f"install {self.packages[package]} again"
        if file is None:
            raise HeftError(f"Encoder {self.name}: the package {package} has no {path}; {again}.")
        digest, expected = sha256_of_file(file), self.sha256[file.name]
        if digest != expected:
            raise HeftError(
                f"Encoder {self.name}: {file} is not the file that is expected (changed or truncated): SHA-256 "
                f"expected {expected}, found {digest}; {again}."
            )
        return file


def encoder(
    *,
    modality: str,
    origin: str,
    licence: str,
    packages: dict[str, str] | None = None,
    sha256: dict[str, str] | None = None,
    paths: Sequence[str] = (),
) -> Callable[[Callable[..., Encoder]], EncoderKind]:
    """Registers a function of options alone that returns an `Encoder`.

    modality: what it encodes. origin, licence: of its weights. packages: {name in an import: name for pip} of optional
    packages that it needs. sha256: of each file of a package that it reads, by the file's name. paths: its options that
    name a person's own file or folder; one that is not absolute is beside the configuration.
    """

    def register(build: Callable[..., Encoder]) -> EncoderKind:
        return EncoderKind(build.__name__, build, packages or {}, sha256 or {})

    return register


def check_installed(name: str, packages: Mapping[str, str]) -> None:
    """Raises HeftError that says how to install what an encoder needs and is not there."""
    missing = [pip for package, pip in packages.items() if find_spec(package) is None]
    if missing:
        raise HeftError(
            f"Encoder {name} needs {' and '.join(missing)}, not installed here: `pip install {' '.join(missing)}`; "
            'requirements-encoders.txt, and `pip install "heft[encoders]"`, have all that encoders need.'
        )

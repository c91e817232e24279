"""Fingerprints of a small package, and edits of its files."""

import os
from collections.abc import Sequence
from pathlib import Path

from heft.workflow.planning import fingerprint as module
from heft.workflow.planning.fingerprint import Look


def fingerprint(*files: Path, packages: Sequence[str] = ()) -> dict[str, str]:
    """Of a new look."""
    return Look(module.PACKAGE_ROOT).fingerprint(*files, packages=packages)


def write_package(folder: Path) -> None:
    """Writes a package `heft` with two kernels and a method, and a script that runs the method."""
    house = folder / "heft"
    (house / "kernels").mkdir(parents=True)
    (house / "__init__.py").write_text("")
    (house / "kernels" / "__init__.py").write_text(
        "from heft.kernels.products import dot\nfrom heft.kernels.solvers import solve\n"
    )
    (house / "kernels" / "products.py").write_text('"""Products."""\ndef dot(a, b):\n    return a * b\n')
    (house / "kernels" / "solvers.py").write_text("def solve(a):\n    return 1 / a\n")
    (house / "ip.py").write_text(
        "import os\nimport yaml\nfrom heft.kernels import dot\n\ndef ip(a):\n    return dot(a, a)\n"
    )
    (folder / "score.py").write_text("def main():\n    from heft import ip\n    return ip.ip(2)\n")


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    # An edit within one tick of the clock would keep the modification time that the cache goes by.
    os.utime(file, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns + 1_000_000))

"""Heft and the libraries that it is measured beside: their scripts in `peers`, their environments, their processes.

Each library is installed into an environment of its own under .venv-peers, which sees the packages of this one, and
each method runs in a process of its own. To add a library, add a file `benchmarks/peers/with_<name>.py`; nothing else.
"""

import ast
import json
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

ROOT = Path(__file__).parent.parent
PEERS = Path(__file__).parent / "peers"
HEFT = PEERS / "with_heft.py"
ENVIRONMENTS = ROOT / ".venv-peers"
MOST_SECONDS = 300
Outcome = tuple[dict[str, float], Tensor | None, str]  # what it cost, the scores, why it failed in one line
sys.path[:0] = [str(PEERS), str(ROOT / "workflow_scripts")]  # where problem.py and heft are found


def libraries() -> Iterator[tuple[str, Path, str]]:
    """Name, script and requirement of each library, Heft first."""
    scripts = sorted(PEERS.glob("with_*.py"), key=lambda file: (file != HEFT, file.stem))
    for script in scripts:
        for node in ast.parse(script.read_text()).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "REQUIREMENT":
                yield script.stem.removeprefix("with_"), script, ast.literal_eval(node.value)


def label(requirement: str) -> str:
    """Name and version of a library, as the table says it."""
    return requirement.split()[0] if requirement else "heft"


def python_for(requirement: str) -> str:
    """The interpreter of the library's environment, which is made where it is not there."""
    if not requirement:
        return sys.executable
    folder = ENVIRONMENTS / label(requirement).replace("==", "-")
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        print(f"installing {requirement}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        shared = folder / "lib" / version / "site-packages" / "shared.pth"
        shared.write_text(sysconfig.get_paths()["purelib"] + "\n")
        subprocess.run([python, "-m", "pip", "install", "-qq", *requirement.split()], check=True)
        (folder / "ready").touch()
    return str(python)


def run(python: str, script: Path, method: str, folder: Path, most_seconds: int = MOST_SECONDS) -> Outcome:
    """Runs the method in a process of its own."""
    from safetensors.torch import load_file

    result = folder / "result.json"
    result.unlink(missing_ok=True)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [python, str(script), str(folder), method, str(result)],
            capture_output=True,
            text=True,
            timeout=most_seconds,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return {}, None, f"not done after {most_seconds} s"
    if done.returncode:
        return {}, None, (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1][:160]
    return json.loads(result.read_text()), load_file(result.with_suffix(".safetensors"))["scores"], ""


def methods_of(script: Path) -> list[str]:
    """The keys of a script's METHODS, from its parsed text."""
    for node in ast.parse(script.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "METHODS":
            assert isinstance(node.value, ast.Dict), f"{script.name}: METHODS must be a dictionary with literal keys"
            return [ast.literal_eval(key) for key in node.value.keys if key is not None]
    raise ValueError(f"{script.name} holds no METHODS")


def libraries_by_method() -> dict[str, list[tuple[str, Path, str]]]:
    """The libraries that have each method, Heft first."""
    by_method: dict[str, list[tuple[str, Path, str]]] = {}
    for library in libraries():
        for method in methods_of(library[1]):
            by_method.setdefault(method, []).append(library)
    return by_method

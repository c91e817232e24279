"""Tries mutations in a copy of the project: which tests reach a line, and which of them tells that it was changed."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from candidates import Mutation, mutated

ROOT = Path(__file__).parent.parent.parent
PARTS = ("Snakefile", "config.yaml", "profiles", "rules", "workflow_scripts", "tests", "pyproject.toml", "benchmarks",
         "docs", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff", "LICENSE", "Makefile",
         "requirements.txt", "reports/README.md", ".ci", ".github", ".pre-commit-config.yaml")  # fmt: skip
PACKAGE = "workflow_scripts"
LONGEST_SECONDS = 900  # for the tests of one file while it is traced, and for each of WHOLE_RUNS
# Where no traced test reaches a line, a stage's process may: whole runs, cheapest first.
WHOLE_RUNS = ("test_run.py", "test_incomplete_report.py", "test_tracking.py", "test_reruns.py")


@dataclass(frozen=True)
class Verdict:
    """`killed` with the test that failed, `survived`, or `not reached`, and how many tests were asked."""

    outcome: str
    test: str
    n_tests: int


class Copy:
    """A copy of the project in which files are changed, and the map of what its tests reach."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "copy"
        self.maps = folder / "reach"
        self.maps.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        for part in PARTS:
            source, target = ROOT / part, self.folder / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
            elif source.exists():
                shutil.copy(source, target)

    def map_tests(self) -> dict[str, dict[str, Any]]:
        """{test: seconds, passed, lines by file}; a file of tests is traced once for each state of the project."""
        reach: dict[str, dict[str, Any]] = {}
        project = _digest(sorted((self.folder / PACKAGE).rglob("*.py")))
        for file in sorted((self.folder / "tests").glob("test_*.py")):
            kept = self.maps / f"{file.stem}-{_digest(_with_helpers(file))}-{project}.json"
            if not kept.exists():
                print(f"tracing {file.name}", file=sys.stderr, flush=True)
                arguments = ["-p", "reach", "-m", "not slow", f"tests/{file.name}"]
                self._pytest(arguments, LONGEST_SECONDS, {"HEFT_REACH": str(kept)})
            reach |= json.loads(kept.read_text()) if kept.exists() else {}
        return reach

    def judge(self, mutation: Mutation, tests: Mapping[str, Mapping[str, Any]]) -> Verdict:
        """Runs the files of tests that reach the line, the tests that do first, the cheapest file first."""
        file = self.folder / mutation.file
        original = file.read_text(encoding="utf-8")
        file.write_text(mutated(original, mutation.line, mutation.after), encoding="utf-8")
        try:
            chosen = _reaching(mutation, tests)
            if chosen:
                budget = 30 + 4 * sum(tests[test]["seconds"] for test in chosen)
                failing = [test for test, facts in tests.items() if not facts["passed"]]
                return self._first_failure(chosen, budget, failing)
            for whole in WHOLE_RUNS:
                verdict = self._first_failure([f"tests/{whole}"], LONGEST_SECONDS)
                if verdict.outcome == "killed":
                    return verdict
            return Verdict("not reached", "", 0)
        finally:
            file.write_text(original, encoding="utf-8")

    def _first_failure(self, chosen: list[str], budget: float, left_out: Sequence[str] = ()) -> Verdict:
        lines = [*chosen, *(f"-{test}" for test in left_out)]
        (self.folder.parent / "asked.txt").write_text("\n".join(lines))
        files = list(dict.fromkeys(test.partition("::")[0] for test in chosen))
        order = {"HEFT_ASKED": str(self.folder.parent / "asked.txt")} if "::" in chosen[0] else {}
        status, said = self._pytest(["-x", "--tb=no", "-p", "asked", *files], budget, order)
        failed = [line.split(" ", 1)[1] for line in said.splitlines() if line.startswith(("FAILED ", "ERROR "))]
        if status == 0:
            return Verdict("survived", "", len(chosen))
        return Verdict("killed", failed[0].partition(" - ")[0] if failed else f"exit status {status}", len(chosen))

    def _pytest(self, arguments: list[str], seconds: float, variables: Mapping[str, str]) -> tuple[int | str, str]:
        path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **variables}
        with subprocess.Popen(
            command, cwd=self.folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:  # fmt: skip
            try:
                said, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                return "out of time", ""
        return process.returncode, said


def _reaching(mutation: Mutation, tests: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Tests that reach the line, cheapest first, then the others of their files, since they may share a fixture."""
    name = mutation.file.removeprefix(f"{PACKAGE}/")
    passing = {test: facts for test, facts in tests.items() if facts["passed"]}
    direct = {test for test, facts in passing.items() if mutation.line in facts["lines"].get(name, ())}
    files = {test.partition("::")[0] for test in direct}
    rest = [test for test in passing if test.partition("::")[0] in files and test not in direct]
    return [*sorted(direct, key=lambda test: passing[test]["seconds"]), *rest]


def _with_helpers(file: Path) -> list[Path]:
    """A file of tests, and the modules beside it that it imports, and they in turn."""
    read, waiting = set(), [file, file.parent / "conftest.py"]
    while waiting:
        module = waiting.pop()
        if module not in read:
            read.add(module)
            names = re.findall(r"^(?:from|import) (\w+)", module.read_text(encoding="utf-8"), re.MULTILINE)
            for name in names:
                waiting += sorted((file.parent / name).glob("*.py")) or [*file.parent.glob(f"{name}.py")]
    return sorted(read)


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]

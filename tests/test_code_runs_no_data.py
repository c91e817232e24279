"""No line of the project can turn data into code: read from the parsed files, without importing them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from workspace import ROOT

FILES = sorted(file for folder in ("workflow_scripts", "benchmarks", "docs") for file in (ROOT / folder).rglob("*.py"))
RULES = sorted([ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")])
NEVER_IMPORTED = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle", "code"}
NEVER_CALLED = {"eval", "exec", "compile", "__import__", "input", "torch.hub.load", "yaml.load"}
NEVER_CALLED |= {"yaml.unsafe_load", "yaml.full_load", "os.system", "os.popen", "pd.read_pickle", "pandas.read_pickle"}
NEVER_CALLED |= {"subprocess.getoutput", "subprocess.getstatusoutput", "tempfile.mktemp"}
# Called only with the keyword that keeps it from running code.
SAFE_WITH = {
    "np.load": "allow_pickle=False",
    "numpy.load": "allow_pickle=False",
    "torch.load": "weights_only=True",
}
HARMLESS = {("pickle", "UnpicklingError")}  # what torch raises where there is more in a file than weights
# What the page takes as markup: its own style, script and the figures that it has drawn itself.
MARKUP_IN = {f"workflow_scripts/heft/reporting/{name}.py" for name in ("page", "templating")}


def mistakes(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of each thing that a file must not do."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] in NEVER_IMPORTED)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in NEVER_IMPORTED:
            if {(node.module, alias.name) for alias in node.names} - HARMLESS:
                yield node.lineno, str(node.module)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            keywords = [f"{keyword.arg}={ast.unparse(keyword.value)}" for keyword in node.keywords]
            if name in NEVER_CALLED or (name in SAFE_WITH and SAFE_WITH[name] not in keywords):
                yield node.lineno, name
            for keyword in node.keywords:
                value = ast.unparse(keyword.value)
                if (keyword.arg, value) in {("shell", "True"), ("allow_pickle", "True"), ("autoescape", "False")}:
                    yield node.lineno, f"{keyword.arg}={value}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_file_runs_what_it_reads(file: Path) -> None:
    assert list(mistakes(ast.parse(file.read_text(encoding="utf-8")))) == []


def test_the_search_finds_what_it_looks_for() -> None:
    source = (
        "import pickle\nfrom joblib import load\ntorch.load(x)\nf(shell=True)\nnp.load(x, allow_pickle=True)\neval(y)\n"
        "np.load(x)\nnp.load(x, allow_pickle=False)\ntorch.load(x, weights_only=True)\n"
        "from pickle import UnpicklingError\nfrom pickle import loads"
    )
    assert sorted(line for line, _ in mistakes(ast.parse(source))) == [1, 2, 3, 4, 5, 5, 6, 7, 11]


def test_markup_is_made_where_pages_are_written_and_templates_trust_nothing() -> None:
    users = {file.relative_to(ROOT).as_posix() for file in FILES if "Markup(" in file.read_text(encoding="utf-8")}
    assert users == MARKUP_IN
    templates = sorted((ROOT / "workflow_scripts").rglob("*.j2"))
    assert templates
    for template in templates:
        text = template.read_text(encoding="utf-8")
        assert "|safe" not in text.replace(" ", "")
        assert "autoescape" not in text


def test_rules_run_scripts_and_a_shell_sees_only_what_is_quoted() -> None:
    texts = [file.read_text(encoding="utf-8") for file in RULES]
    assert [text for text in texts if re.search(r"\b(eval|exec|shell)\(|pickle", text)] == []
    commands = [command for text in texts for command in re.findall(r"shell:\s+(.*)", text)]
    assert len(commands) == 1  # that of `deliver`, which fits on one line
    for command in commands:
        values = re.findall(r"{([^}]*)}", command)
        assert values, command
        assert [value for value in values if not (value.endswith(":q") or value == "log")] == [], command

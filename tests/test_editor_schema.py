"""`python -m heft schema` prints what an editor needs to complete and check a configuration file."""

import copy
import json
import subprocess
import sys
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from workspace import ROOT

from heft.__main__ import main


@pytest.fixture
def validator(capsys: pytest.CaptureFixture[str]) -> Draft202012Validator:
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.fixture
def shipped() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))


def test_it_takes_the_shipped_file_and_one_that_holds_just_what_differs(
    validator: Draft202012Validator, shipped: dict[str, Any]
) -> None:
    assert list(validator.iter_errors(shipped)) == []
    assert list(validator.iter_errors({"definitions": {"mine": {"seeds": [0, 1]}}})) == []


@pytest.mark.parametrize(
    ("options", "wrong"),
    [({"damping": 0.2}, False), ({"dampin": 0.2}, True), ({"damping": -1}, True)],
    ids=["right", "misspelt", "out of range"],
)
def test_it_knows_the_options_of_methods(
    validator: Draft202012Validator, shipped: dict[str, Any], options: dict[str, float], wrong: bool
) -> None:
    changed = copy.deepcopy(shipped)
    changed["defaults"]["methods"] = [{"if_cg": options}]
    assert bool(list(validator.iter_errors(changed))) is wrong


def test_without_the_extra_it_says_what_to_install_and_methods_are_listed_all_the_same() -> None:
    code = "import sys; sys.modules['pydantic'] = None; from heft.__main__ import main; sys.exit(main(sys.argv[1:]))"
    library = {"PYTHONPATH": str(ROOT / "workflow_scripts")}
    run = [
        subprocess.run([sys.executable, "-c", code, command], env=library, capture_output=True, text=True, check=False)
        for command in ("schema", "methods")
    ]
    assert [process.returncode for process in run] == [1, 0]
    assert run[0].stderr == "the workflow needs pydantic: pip install 'heft[workflow]'\n"
    assert "if_cg" in run[1].stdout

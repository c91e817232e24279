"""check.py as a person calls it: the commands of the page work, a table on stdout, a sentence on stderr."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import check
import pytest
from workspace import ROOT

PAGE = (ROOT / "docs" / "add_a_model.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```\w+ (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = re.findall(r"^    .venv/bin/python workflow_scripts/check.py (.*)$", PAGE, re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the page's own model, in which the command is given."""
    (tmp_path / "my_models.py").write_text(f"print('loaded')\n{FILES['my_models.py']}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEFT_MODULES", "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "my_models", raising=False)
    return tmp_path


def test_the_page_has_a_command_for_a_model_and_one_for_a_configuration() -> None:
    assert [command.split()[0] for command in COMMANDS] == ["my_models:build", "--configfile"]


@pytest.mark.slow
def test_the_command_for_a_model_prints_its_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(shlex.split(COMMANDS[0])) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("model my_models:build, width 24: inputs [1, 28, 28], 10 classes\n")
    assert printed.out.count("  holds  ") == 7
    assert re.search(r"^  ip +runs$", printed.out, re.MULTILINE)
    assert "loaded" in printed.err


@pytest.mark.slow
def test_the_command_for_a_configuration_checks_each_experiment_also_after_one_that_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (folder / "my_models.py").open("a") as opened:
        opened.write("\n\ndef linear(input_shape, n_classes):\n    return nn.Linear(3, n_classes)\n")
    (folder / "mine.yaml").write_text(
        "experiments: [wrong, mine]\n"
        "defaults: {methods: [loss], ensembles: [], training: {epochs: 2}, checkpoints: {spaced: 1, early: 1}}\n"
        "definitions:\n"
        "  wrong: {data: {source: digits}, model: my_models:linear}\n"
        "  mine: {data: {source: digits}, model: {my_models:build: {width: 3}}}\n"
    )
    assert check.main(shlex.split(COMMANDS[1])) == 1
    printed = capsys.readouterr()
    assert printed.out.startswith("experiment mine: model my_models:build, width 3: inputs [1, 8, 8], 10 classes\n")
    assert "experiment wrong: model my_models:linear fails on inputs of shape [1, 8, 8]: " in printed.err


def test_an_option_of_a_configuration_that_the_model_does_not_have_is_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mine.yaml").write_text(
        "experiments: [wrong]\ndefinitions:\n  wrong: {data: {source: digits}, model: {my_models:build: {depth: 3}}}\n"
    )
    assert check.main(shlex.split(COMMANDS[1])) == 1
    assert capsys.readouterr().err == (
        'mine.yaml: definitions.wrong.model.my_models:build.depth is not an option; did you mean "width"? '
        "Known: frozen, weights, width\n"
    )


@pytest.mark.slow
def test_a_model_that_is_not_sound_is_a_sentence_and_status_one(folder: Path) -> None:
    with (folder / "my_models.py").open("a") as opened:
        opened.write(
            "\n\ndef twice(input_shape, n_classes):\n    return nn.BatchNorm1d(4, track_running_stats=False)\n"
        )
    script = [sys.executable, str(ROOT / "workflow_scripts/check.py")]
    asked = ["my_models:twice", "--input", "4", "--classes", "4"]
    done = subprocess.run([*script, *asked], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("model my_models:twice cannot run on 1 example")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("my_models:build --input 1,a --classes 3", '"1,a" is no shape; write whole numbers with commas'),
        ("my_models:build --input 1,0 --classes 3", '"1,0" is no shape'),
        ("my_models:build --input 4 --classes 3 --option width", '"width" is no option; write name=value'),
        ("my_models:build", "give a model with --input and --classes, or --configfile"),
        ("my_models:build --input 4 --classes 1", "--classes is 1; it must be at least 2"),
        ("nowhere:build --input 4 --classes 3", "there is no nowhere in"),
        ("mpl --input 4 --classes 3", 'model "mpl" is not known; did you mean "mlp"?'),
        ("--configfile nowhere.yaml", "nowhere.yaml cannot be read: No such file or directory"),
        ("--configfile my_models.py", "my_models.py"),
    ],
)
def test_a_mistake_in_the_command_is_a_sentence(
    folder: Path, arguments: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = check.main(shlex.split(arguments))
    except SystemExit as ended:  # argparse
        status = int(ended.code or 0)
    assert status in (1, 2)
    assert sentence in capsys.readouterr().err

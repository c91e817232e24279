"""A configuration file means what it says, or is one sentence that names the file, the line and the key."""

import shutil
from pathlib import Path

import pytest
import yaml
from workspace import ROOT, TINY, Workspace

from heft.errors import HeftError
from heft.workflow.configuration.files import Sources, read_arguments, read_file

BROKEN = [
    (b"seeds: [1]\nseeds: [2]\n", 'x.yaml: line 2: the key "seeds" stands there twice'),
    (b"a:\n  b: 1\n  c: 2\n  b: 3\n", 'x.yaml: line 4: the key "b" stands there twice'),
    (b"a: [1\nb: 2\n", "x.yaml: line 2: "),
    (b"a:\n\t- 1\n", "x.yaml: line 2: found character '\\t' that cannot start any token"),
    (b"a: \xe4\n", "x.yaml is not UTF-8 text (byte 3); save it as UTF-8"),
    (b"", "x.yaml is empty; it must be a mapping (key: value) of YAML"),
    (b"# nothing\n", "x.yaml is empty; it must be a mapping"),
    (b"- a\n", "x.yaml is a list; it must be a mapping"),
    (b"1\n", "x.yaml is a int; it must be a mapping"),
    (b"a: \x00\n", "x.yaml is not valid YAML: "),
    (b"[1]: 2\n", "x.yaml: line 1: a key must be text"),
    (b"a: " + b"9" * 5000, "x.yaml is not valid YAML: "),
    (b"a: !!python/object/apply:os.getcwd []\n", "x.yaml: line 1: could not determine a constructor"),
    (b"a: 1\n---\nb: 1\n", "x.yaml: line 2: but found another document"),
]


@pytest.mark.parametrize(("content", "sentence"), BROKEN, ids=[sentence for _, sentence in BROKEN])
def test_a_file_that_cannot_be_read_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_bytes(content)
    with pytest.raises(HeftError) as caught:
        read_file(Path("x.yaml"))
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_or_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(HeftError, match=r"x\.yaml cannot be read: no such file or directory"):
        read_file(tmp_path / "x.yaml")
    with pytest.raises(HeftError, match="cannot be read: is a directory"):
        read_file(tmp_path)


def test_numbers_are_numbers_as_people_write_them_and_quoted_text_is_text(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text('a: [1e-2, 1E3, -2e5, .5e1, 1.0e-3, 1, "1e-2", e5, 0x10]\n', encoding="utf-8-sig")
    assert read_file(file) == {"a": [0.01, 1000.0, -200000.0, 5.0, 0.001, 1, "1e-2", "e5", 16]}


def test_the_command_line_gives_numbers_and_keeps_quoted_text() -> None:
    given = ["defaults={seeds: [1], training: {learning_rate: 1e-2}}", "a='1'", "b=", "c=x=y", "d=false"]
    assert read_arguments(given) == {
        "defaults": {"seeds": [1], "training": {"learning_rate": 0.01}},
        "a": "1",
        "b": None,
        "c": "x=y",
        "d": False,
    }
    with pytest.raises(HeftError, match=r"^--config defaults: line 1: expected"):
        read_arguments(["defaults={seeds: [1"])


def test_the_shipped_file_reads_as_yaml_does() -> None:
    assert read_file(ROOT / "config.yaml") == yaml.safe_load((ROOT / "config.yaml").read_text())


def test_of_several_files_the_last_wins_and_a_value_is_known_by_the_file_that_it_stands_in(tmp_path: Path) -> None:
    texts = {"config.yaml": "{d: {x: 1, y: 1}}", "a.yaml": "{d: {y: [2, 3]}}", "b.yaml": "{e: {z: 1}, d: {}}"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    sources = Sources([tmp_path / name for name in texts], ["e={w: 5}"])
    assert sources.whole == {"d": {"x": 1, "y": [2, 3]}, "e": {"z": 1, "w": 5}}
    files = [
        sources.file_of(path) for path in (["d", "x"], ["d", "y", 1], ["e", "z"], ["e", "w"], ["e", "v"], ["d", "q"])
    ]
    assert files == ["config.yaml", "a.yaml", "b.yaml", "--config", "--config", "b.yaml"]


@pytest.mark.slow
def test_snakemake_hands_over_the_files_and_the_words_of_its_command_line(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "project", TINY)
    (tmp_path / "project/b.yaml").write_text("defaults: {seeds: [x]}\n")
    target = "results/small/seed7/split/train.parquet"
    number = "definitions={small: {seeds: [7], training: {learning_rate: 1e-2}}}"
    assert {job.rule for job in workspace.plan("--config", number, "--", target)} == {"prepare", "split"}
    said = workspace.run("-n", "--configfile", "small.yaml", "b.yaml", expect=1)
    assert said.splitlines() == ['b.yaml: defaults.seeds[0] is "x"; it must be a whole number']
    # A Snakefile elsewhere brings its own config.yaml, unless one lies in the working folder.
    here = tmp_path / "here"
    here.mkdir()
    shutil.copy(tmp_path / "project/small.yaml", here)
    elsewhere = ["-s", str(tmp_path / "project/Snakefile"), "-d", str(here)]
    assert {job.rule for job in workspace.plan(*elsewhere, "--", target.replace("7", "0"))} == {"prepare", "split"}
    (here / "config.yaml").write_text("a: 1\na: 2\n")
    assert 'config.yaml: line 2: the key "a" stands there twice' in workspace.run("-n", *elsewhere, expect=1)

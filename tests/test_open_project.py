"""The habits of an open project point at what is there: the same checks, the same commands, the paper by name."""

import re

import pytest
import yaml
from workspace import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_github_runs_what_a_person_runs() -> None:
    (job,) = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())["jobs"].values()
    assert job["steps"][-1] == {"run": ".ci/run"}
    assert "\nmake test\n" in (ROOT / ".ci/run").read_text()


def test_pre_commit_checks_what_make_checks() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [(hook["entry"], hook["language"]) for hook in repository["hooks"]] == [("make check", "system")]


@pytest.mark.parametrize("command", sorted(set(re.findall(r"make (\w+) ", CONTRIBUTING))))
def test_a_command_that_contributors_are_told_is_one_of_makes(command: str) -> None:
    assert re.search(rf"(?m)^{command}:", MAKEFILE)


def test_the_citation_names_the_paper_and_its_authors() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    (paper,) = citation["references"]
    assert paper["title"] == "Revisit, Extend, and Enhance Hessian-Free Influence Functions"
    assert [author["family-names"] for author in paper["authors"]] == ["Yang", "Yue", "Chen", "Liu"]

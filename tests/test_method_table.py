"""heft.methods lists what the methods' files declare, and what heft.score takes for it."""

import inspect
import re

import pytest

import heft
from heft.__main__ import main
from heft.arguments.needs import ARGUMENTS, arguments_of
from heft.auxiliary.kinds import kinds
from heft.registry import NEEDS, declarations


def test_the_table_has_each_method_with_its_options_and_what_to_pass() -> None:
    table = heft.methods()
    assert list(table) == sorted(declarations("methods"))
    rows = {line.split()[0]: line for line in str(table).splitlines()}
    assert rows["method"].split("  ")[0] == "method"
    assert re.fullmatch(r"if_cg +validation +yes +damping=0.1, .*parameters='all'", rows["if_cg"])
    assert re.fullmatch(r"oracle +true_labels +no", rows["oracle"])
    assert re.fullmatch(r"loss +- +yes", rows["loss"])
    assert "subsets, validation" in rows["trak"]


def test_a_method_is_printed_with_its_formula_options_and_bounds() -> None:
    facts = heft.methods("tracin")
    assert facts.options["parameters"].default == "all"
    assert [argument.name for argument in facts.arguments] == ["checkpoints", "validation"]
    text = str(facts)
    assert text.startswith("tracin: TracIn\n  predicts  Minus the change of f")
    assert "pass      checkpoints: states along the training" in text
    assert "option    parameters = 'all', text" in text
    assert "option    damping = 0.1, a number above 0" in str(heft.methods("if_cg"))
    with pytest.raises(heft.HeftError, match='method "tracn" is not known; did you mean "tracin"'):
        heft.methods("tracn")


def test_every_need_has_an_argument_that_heft_score_and_its_docstring_name() -> None:
    needs = {*NEEDS["methods"], *(kind.need for kind in kinds().values() if kind.need)}
    served = arguments_of(needs)
    assert set(served) == needs - {"final"}
    parameters, said = inspect.signature(heft.score).parameters, heft.score.__doc__ or ""
    assert {argument.name for argument in ARGUMENTS.values()} <= set(parameters)
    further = {kind.need for kind in kinds().values() if kind.need}
    assert [name for name in {argument.name for argument in served.values()} if f"`{name}`" not in said] == []
    assert not further & set(parameters)


def test_no_option_of_a_method_hides_an_argument_of_heft_score() -> None:
    taken = set(inspect.signature(heft.score).parameters) | {kind.need for kind in kinds().values()}
    shared = {name: set(declared.options) & taken for name, declared in declarations("methods").items()}
    assert {name: options for name, options in shared.items() if options} == {}


def test_the_command_line_prints_the_table_one_method_or_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["methods"]) == 0
    assert capsys.readouterr().out == f"{heft.methods()}\n"
    assert main(["methods", "ip"]) == 0
    assert capsys.readouterr().out == f"{heft.methods('ip')}\n"
    assert main(["methods", "ipp"]) == 1
    assert "did you mean" in capsys.readouterr().err

"""What a file declares is checked as it is read: a mistake in it is one sentence with file and line."""

from pathlib import Path

import pytest

from heft.declaration import read_declaration
from heft.errors import HeftError
from heft.registry import added_folder, declarations, find, unreadable
from heft.workflow.planning.plan import load_plan

HEAD = '@method(formula="s_i = 0", paper="none", predicts="Nothing.", ensemble=False, needs=("final",))\n'
WRONG = {
    HEAD.replace('("final",)', '("finals",)') + "def new(context): ...\n": (
        1,
        'needs has "finals"; did you mean "final"? Known: ',
    ),
    HEAD.replace('("final",)', '"final"') + "def new(context): ...\n": (
        1,
        '@method: needs is "final"; it must be a list',
    ),
    HEAD.replace("predicts", "predict") + "def new(context): ...\n": (
        1,
        'predict is not a keyword of @method; did you mean "predicts"? Known: ',
    ),
    HEAD.replace(', paper="none"', "") + "def new(context): ...\n": (1, "@method lacks the keyword paper"),
    HEAD.replace("ensemble=False", 'ensemble="no"') + "def new(context): ...\n": (
        1,
        '@method: ensemble is "no"; it must be true or false',
    ),
    HEAD + "def new(context, *,\n        power: Annotated[float, Gt(0)] = 0): ...\n": (
        3,
        "the default of power is 0; it must be above 0",
    ),
    HEAD + 'def new(context, *, norm: Literal["l1", "l2"] = "l3"): ...\n': (
        2,
        'the default of norm is "l3"; Known: l1, l2',
    ),
    HEAD + "def new(context, *, power: Power = 1): ...\n": (2, "the type of the option power: Power is not among int,"),
    HEAD + "def new(context, *, power=1): ...\n": (2, "the type of the option power: an option without a type is not"),
    HEAD + "def new(context, *, power: Annotated[int, Le(2**9)] = 1): ...\n": (
        2,
        "the type of the option power: the bound Le(2 ** 9) must be a plain number",
    ),
    HEAD + "def new(context, *, power: float = 1 / 2): ...\n": (2, "power is 1 / 2; it must be a literal"),
    HEAD + "def other(context): ...\n": (2, "the method is named other; expected new"),
}


@pytest.mark.parametrize("text", WRONG, ids=[sentence[:40] for _, sentence in WRONG.values()])
def test_a_mistake_in_a_declaration_is_one_sentence_and_spoils_its_experiment_alone(text: str, tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text(text)
    line, sentence = WRONG[text]
    with added_folder("methods", tmp_path):
        said = unreadable("methods")["new"]
        assert said.startswith(f"{tmp_path}/new.py, line {line}: {sentence}")
        assert "\n" not in said
        with pytest.raises(HeftError) as caught:
            find("methods", "new")
        assert str(caught.value) == said
        small = {"data": {"source": "digits", "train": 300, "validation": 100, "test": 200}, "ensembles": []}
        definitions = {"good": {**small, "methods": ["ip"]}, "bad": {**small, "methods": ["new"]}}
        plan = load_plan({"experiments": list(definitions), "definitions": definitions}, [tmp_path / "mine.yaml"])
    assert list(plan.experiments) == ["good"]
    assert plan.spoiled == {"bad": f"mine.yaml: definitions.bad cannot run: {said}"}


READ = {
    "int": {"type": "integer"},
    "'float'": {"type": "number"},
    "int | None": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    "Optional[str]": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    "Annotated[int, Ge(-1), Le(1000), 'how many']": {"type": "integer", "minimum": -1, "maximum": 1000},
    "typing.Annotated[float, annotated_types.Gt(0), Lt(1)]": {
        "type": "number",
        "exclusiveMinimum": 0,
        "exclusiveMaximum": 1,
    },
    "Annotated[list[Annotated[int, Gt(0)]], MinLen(1), MaxLen(3)]": {
        "type": "array",
        "items": {"type": "integer", "exclusiveMinimum": 0},
        "minItems": 1,
        "maxItems": 3,
    },
    "tuple[float, ...]": {"type": "array", "items": {"type": "number"}},
    'float | Literal["auto", "none"]': {"anyOf": [{"type": "number"}, {"enum": ["auto", "none"]}]},
    "Any": {},
}


@pytest.mark.parametrize("annotation", READ)
def test_an_annotation_is_the_schema_of_its_values(annotation: str, tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text(f"{HEAD}def new(context, *, value: {annotation}): ...\n")
    declared = read_declaration(tmp_path / "new.py", "methods")
    assert declared is not None
    assert declared.options["value"].allowed == READ[annotation]
    assert declared.options["value"].is_required


def test_what_a_decorator_leaves_out_is_its_default(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text(HEAD.replace(', needs=("final",)', "") + "def new(context): ...\n")
    with added_folder("methods", tmp_path):
        assert declarations("methods")["new"].fields["needs"] == ()
        assert declarations("methods")["new"].fields["counterfactual"] is False


def test_the_options_of_a_class_are_those_of_its_init(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text(
        '@auxiliary(gives="models", need="new")\nclass New:\n'
        "    def __init__(self, *, size: Annotated[int, Gt(0)] = 2): ...\n"
    )
    declared = read_declaration(tmp_path / "new.py", "auxiliary")
    assert declared is not None
    assert declared.options["size"].allowed == {"type": "integer", "exclusiveMinimum": 0}

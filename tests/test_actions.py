"""Each action does to the lowest-scored examples what its file says, and nothing to the others."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from heft.curation.chosen import ChosenAction
from heft.curation.declare import ActionContext, Curated
from heft.curation.notes import notes_on
from heft.curation.plan import acted_on, curation_plan
from heft.curation.relabel import relabel
from heft.curation.reweight import reweight
from heft.errors import HeftError
from heft.registry import declarations

N, N_CLASSES = 40, 4
RANDOM = np.random.default_rng(0)
IDS = np.array([f"x{(370 * row + 3) % 1009:04d}" for row in range(N)])
GIVEN, TRUE = RANDOM.integers(0, N_CLASSES, N), RANDOM.integers(0, N_CLASSES, N)
SCORES = RANDOM.permutation(N) - 7.5
PROBABILITIES = RANDOM.dirichlet(np.full(N_CLASSES, 0.4), N)
TRAIN = pd.DataFrame({"id": IDS, "label": GIVEN, "true_label": TRUE})
TABLE = pd.DataFrame({"id": IDS, "score": SCORES})
OUT_OF_FOLD = pd.DataFrame({"id": IDS, **{f"class{label}": PROBABILITIES[:, label] for label in range(N_CLASSES)}})
ALL = [ChosenAction(name) for name in declarations("curation")]


def context(fraction: float = 0.3, **changes: Any) -> ActionContext:
    given = {"probabilities": {"folds": changes.pop("probabilities", PROBABILITIES)}} | changes
    return ActionContext(IDS, GIVEN, SCORES, np.arange(N), fraction, N_CLASSES, **given)


def plan(actions: list[ChosenAction], fractions: list[float], seed: int = 0, **changes: Any) -> pd.DataFrame:
    train, scores = changes.pop("train", TRAIN), changes.pop("scores", TABLE)
    needed = {"relabel": {"folds": changes.pop("probabilities", OUT_OF_FOLD)}}
    return curation_plan(train, scores, actions, fractions, seed, N_CLASSES, probabilities=needed, **changes)


def lowest_by_hand(fraction: float) -> list[int]:
    """Rows, one after the other the lowest of what is left; all scores differ."""
    left, taken = {row: SCORES[row] for row in range(N)}, []
    for _ in range(round(fraction * N)):
        taken.append(min(left, key=lambda row: left[row]))
        del left[taken[-1]]
    return taken


@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.9])
def test_relabel_gives_the_lowest_scores_the_class_that_is_more_probable_than_the_threshold(threshold: float) -> None:
    expected = GIVEN.tolist()
    for row in lowest_by_hand(0.3):
        for label in range(N_CLASSES):
            if PROBABILITIES[row, label] == max(PROBABILITIES[row]) and PROBABILITIES[row, label] > threshold:
                expected[row] = label
    curated = relabel(context(), threshold=threshold)
    assert curated.label.tolist() == expected
    assert (curated.label != GIVEN).sum() > 0
    assert curated.kept.all()
    assert (curated.weight == 1).all()


def test_a_probability_that_is_the_threshold_is_not_above_it() -> None:
    exact = np.full((N, N_CLASSES), 0.25)
    assert relabel(context(probabilities=exact), threshold=0.25).label.tolist() == GIVEN.tolist()
    assert (relabel(context(probabilities=exact), threshold=0.2).label[lowest_by_hand(0.3)] == 0).all()


def test_relabel_gives_the_true_class_where_the_method_that_scored_knows_it() -> None:
    block = plan([ChosenAction("relabel")], [0.3], sees_true_labels=True).set_index("id").loc[IDS]
    lowest = lowest_by_hand(0.3)
    expected = [TRUE[row] if row in lowest else GIVEN[row] for row in range(N)]
    assert block["label"].tolist() == expected
    blind = plan([ChosenAction("relabel")], [0.3]).set_index("id").loc[IDS]
    assert blind["label"].tolist() == relabel(context()).label.tolist() != expected


@pytest.mark.parametrize("weight", [0.5, 0.125])
def test_reweight_gives_the_lowest_scores_the_weight_and_the_others_one(weight: float) -> None:
    lowest = lowest_by_hand(0.3)
    curated = reweight(context(), weight=weight)
    assert curated.weight.tolist() == [weight if row in lowest else 1 for row in range(N)]
    assert curated.weight.dtype == np.float32
    assert curated.label.tolist() == GIVEN.tolist()
    assert curated.kept.all()


def test_of_equal_scores_every_action_takes_the_examples_that_a_removal_takes() -> None:
    tied = TABLE.assign(score=0.0)
    sure = OUT_OF_FOLD.assign(**{f"class{label}": 0.0 for label in range(N_CLASSES)})
    sure.loc[np.arange(N), "class0"] = 1.0
    for seed in range(3):
        planned = plan(ALL, [0.25], seed, scores=tied, probabilities=sure, train=TRAIN.assign(label=1))
        touched = planned[~planned["kept"] | (planned["label"] != 1) | (planned["weight"] != 1)]
        taken = {action: set(block["id"]) for action, block in touched.groupby("action")}
        assert set(taken) == {chosen.slug for chosen in ALL}
        assert all(ids == taken["remove"] for ids in taken.values())
        assert len(taken["remove"]) == 10


def test_the_order_of_rows_decides_nothing() -> None:
    order = [RANDOM.permutation(N) for _ in range(3)]
    mixed = plan(
        ALL, [0.1, 0.3], train=TRAIN.iloc[order[0]], scores=TABLE.iloc[order[1]],
        probabilities=OUT_OF_FOLD.iloc[order[2]],
    )  # fmt: skip
    keys = ["action", "fraction", "id"]
    actual, expected = (table.sort_values(keys, ignore_index=True) for table in (mixed, plan(ALL, [0.1, 0.3])))
    pd.testing.assert_frame_equal(actual, expected)


def test_a_plan_has_a_block_for_each_action_and_fraction_in_the_order_of_the_configuration() -> None:
    actions = [ChosenAction("reweight", {"weight": 0.25}), ChosenAction("remove")]
    blocks = plan(actions, [0.1, 0.3]).groupby(["action", "fraction"], sort=False)
    assert [key for key, _ in blocks] == [
        ("reweight-weight_0.25", 0.1), ("reweight-weight_0.25", 0.3), ("remove", 0.1), ("remove", 0.3),
    ]  # fmt: skip
    assert all(set(block["id"]) == set(IDS) for _, block in blocks)


@pytest.mark.parametrize("chosen", ALL, ids=lambda chosen: chosen.slug)
def test_no_action_takes_a_fraction_that_is_none_or_all(chosen: ChosenAction) -> None:
    for fraction in (0.01, 0.99):
        with pytest.raises(HeftError, match=f"fractions has {fraction:g}, which is (none|all) of 40 training examples"):
            plan([chosen], [fraction])


def test_a_class_that_relabelling_empties_is_noted() -> None:
    train = TRAIN.assign(label=np.where(np.arange(N) < 2, 3, 1))
    low = TABLE.assign(score=np.arange(float(N)))
    sure = OUT_OF_FOLD.assign(class0=1.0, class1=0.0, class2=0.0, class3=0.0)
    planned = plan([ChosenAction("relabel")], [0.05, 0.1], scores=low, probabilities=sure, train=train)
    assert notes_on(planned, train["label"].to_numpy(), list("abcd"), [ChosenAction("relabel")]) == [
        f"relabelling the lowest {share} % leaves no training example of the class d" for share in (5, 10)
    ]


def test_an_action_without_what_it_needs_says_what_it_must_declare() -> None:
    with pytest.raises(HeftError, match=r"Action relabel, fraction 0\.3: This action was given no further models"):
        curation_plan(TRAIN, TABLE, [ChosenAction("relabel")], [0.3], 0, N_CLASSES)


def test_an_example_without_probabilities_is_an_error() -> None:
    with pytest.raises(ValueError, match=f"no probability for id {IDS[3]}"):
        plan([ChosenAction("relabel")], [0.3], probabilities=OUT_OF_FOLD.drop(index=3))


class Own(ChosenAction):
    """An action that returns what it is told to, and declares that it changes weights."""

    def __init__(self, takes_fractions: bool = True, **returned: Any) -> None:
        super().__init__("own")
        fields = {"changes": ("weight",), "takes_fractions": takes_fractions}
        made = SimpleNamespace(fields=fields, configured=lambda options: lambda given: given.curated(**returned))
        object.__setattr__(self, "made", made)

    @property
    def declaration(self) -> Any:
        return self.made  # type: ignore[attr-defined]


def test_an_action_that_takes_no_fractions_acts_once_on_the_whole_split() -> None:
    planned = plan([Own(takes_fractions=False, weight=np.full(N, 0.5))], [0.1, 0.3])
    assert planned["fraction"].unique().tolist() == [1.0]
    assert len(planned) == N


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        ({"kept": np.arange(N) > 0}, rf'kept of example {IDS[0]} is changed, but .* declare "kept" in `changes`'),
        ({"label": GIVEN + (np.arange(N) == 5)}, f"label of example {IDS[5]} is changed"),
        ({"weight": np.ones(3), "kept": np.ones(3, bool)}, r"kept has shape \[3\]; it must be \[40\]"),
        ({"weight": np.where(np.arange(N) == 7, np.nan, 1)}, f"example {IDS[7]} has weight nan; weights are finite"),
        ({"weight": np.where(np.arange(N) == 7, -1, 1)}, f"example {IDS[7]} has weight -1; weights are finite and at"),
        ({"weight": np.zeros(N)}, "no example keeps a weight above 0, so that nothing is left to train on"),
    ],
)
def test_what_is_no_training_split_is_refused_in_a_sentence(returned: dict[str, Any], sentence: str) -> None:
    with pytest.raises(HeftError, match=rf"Action own, fraction 0\.3: {sentence}"):
        acted_on(context(), Own(**returned))


def test_a_label_that_no_class_has_is_refused() -> None:
    outside = context(probabilities=np.eye(N_CLASSES + 1)[np.full(N, N_CLASSES)])
    with pytest.raises(HeftError, match=r"has label 4; labels are 0 to 3\."):
        acted_on(outside, ChosenAction("relabel"))


def test_what_is_not_kept_has_no_weight() -> None:
    curated: Curated = context().curated(kept=np.arange(N) > 3, weight=np.full(N, 0.5))
    assert curated.weight.tolist() == [0] * 4 + [0.5] * 36


@pytest.mark.parametrize("chosen", ALL, ids=lambda chosen: chosen.slug)
def test_an_action_has_the_words_for_a_sentence(chosen: ChosenAction) -> None:
    assert all(chosen.declaration.fields[word] for word in ("title", "verb", "gerund", "participle", "noun", "does"))

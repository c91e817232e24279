"""Numbers that no run could end with are refused before any job, each in one sentence that says what is allowed."""

from typing import Any

import pytest
from test_config import changed, load

from heft.errors import HeftError

NAN, INF = float("nan"), float("inf")
NUMBERS = [
    "training.learning_rate",
    "training.momentum",
    "training.weight_decay",
    "fine_tuning.learning_rate",
    "data.noise.rate",
    "training.epochs",
    "data.train",
]
CASES: list[tuple[str, Any, str]] = [
    *((f"defaults.{key}", NAN, f"{key} is .nan; it must be a finite number") for key in NUMBERS),
    *((f"defaults.{key}", INF, f"{key} is .inf; it must be a finite number") for key in NUMBERS),
    ("defaults.training.learning_rate", -INF, "learning_rate is -.inf; it must be a finite number"),
    ("defaults.training.learning_rate", 10**400, "learning_rate is a number of about 400 digits; at most 18 are"),
    ("defaults.seeds", [10**400], "defaults.seeds[0] is a number of about 400 digits"),
    ("defaults.seeds", [2**32], "defaults.seeds[0] is 4294967296; it must be"),
    ("defaults.seeds", list(range(10**4)), "defaults.seeds has 10,000 entries; at most 1,000 are allowed"),
    ("defaults.fractions", [0.1, NAN], "defaults.fractions[1] is .nan"),
    ("defaults.methods", [{"if_cg": {"damping": NAN}}], "methods[0].if_cg.damping is .nan; it must be a finite number"),
    ("defaults.methods", [{"if_cg": {"damping": [0.1, INF]}}], "methods[0].if_cg.damping[1] is .inf"),
    ("defaults.methods", [{"if_cg": {"damping": 10**30}}], "if_cg.damping is a number of about 30 digits"),
    (
        "defaults.methods",
        [{"random_projection": {"dimension": 10**9}}],
        "is 1000000000; it must be above 0 and at most 1,048,576",
    ),
    (
        "defaults.methods",
        [{"trak": {"models": 10**9}}],
        "trak.models is 1000000000; it must be at least 1 and at most 1,000",
    ),
    ("defaults.methods", [{"if_arnoldi": {"iterations": 10**9}}], "it must be above 0 and at most 1,000,000"),
    (
        "defaults.model",
        {"mlp": {"hidden": [10**9]}},
        "mlp.hidden[0] is 1000000000; it must be above 0 and at most 1,048,576",
    ),
    (
        "defaults.ensembles",
        [{"kind": "seeds", "sizes": [10**9]}],
        "it must be above 0 and at most 1,000",
    ),
    ("defaults.ensembles", [{"kind": "gaussian", "sizes": [5], "sigma": NAN}], "ensembles[0].sigma is .nan"),
    ("defaults.ensembles", [{"kind": "gaussian", "sizes": [5], "sigma": -1}], "sigma is -1; it must be above 0"),
    ("defaults.training.epochs", 10**9, "training.epochs is 1000000000; it must be above 0 and at most 10,000"),
    ("defaults.training.epochs", 2.5, "training.epochs is 2.5; it must be a whole number"),
    ("defaults.training.epochs", True, "training.epochs is true; it must be a whole number"),
    ("defaults.training.batch_size", 0, "training.batch_size is 0; it must be above 0"),
    ("defaults.training.momentum", 1, "training.momentum is 1; it must be"),
    ("defaults.data.train", 10**12, "it must be above 0 and at most 1,000,000,000"),
    ("defaults.seeds", "0", 'defaults.seeds is "0"'),
    ("defaults.methods", [{"ip": {}, "loss": {}}], "each list entry holds one name"),
    ("defaults.methods", [["ip"]], 'methods[0] is ["ip"]'),
    ("defaults.methods", [None], "methods[0] is null"),
    ("defaults.data.noise", {"kind": "pairs", "rates": 0.1}, 'rates is not a key; did you mean "rate"?'),
    ("defaults.data.resample", ["splits"], 'resample[0] is "splits"; did you mean "split"?'),
    ("defaults.checkpoints.final", "lst", 'checkpoints.final is "lst"; did you mean "last"?'),
    ("defaults.baselines", ["finetune"], 'baselines[0] is "finetune"; did you mean "finetuned"?'),
    ("check_disk_space", 1, "check_disk_space is 1; it must be true or false"),
]


@pytest.mark.parametrize(
    ("path", "value", "sentence"), CASES, ids=[f"{case[0]} {number}" for number, case in enumerate(CASES)]
)
def test_what_no_run_could_end_with_is_one_sentence(path: str, value: Any, sentence: str) -> None:
    with pytest.raises(HeftError) as caught:
        load(changed(path, value))
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("config.yaml: ")
    assert len(str(caught.value)) < 900
    assert "\n" not in str(caught.value)


def test_a_plan_of_more_jobs_than_a_machine_can_list_is_refused_by_arithmetic() -> None:
    many = [round(0.001 * k, 3) for k in range(1, 1000)]
    with pytest.raises(HeftError, match=r"asks for about 19,960,040 jobs \(5 seeds, 998002 methods"):
        load(changed("defaults", {"methods": ["random", {"if_cg": {"damping": many, "tolerance": many}}]}))


def test_a_short_training_has_as_many_checkpoints_as_epochs_where_nobody_chose_their_number() -> None:
    plan = load(changed("definitions.mnist5k", {"training": {"epochs": 2}}))
    chosen = plan.experiments["mnist5k"].settings.checkpoints
    assert (chosen.spaced, chosen.early, plan.settings("mnist5k")["checkpoints"]["spaced"]) == (2, 2, 2)
    assert load(changed("experiments", ["mnist5k"])).experiments["mnist5k"].settings.checkpoints.spaced == 5


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("definitions.mnist5k", {"training": {"epochs": 2}, "checkpoints": {"spaced": 5}}),
        ("definitions.mnist5k", {"training": {"epochs": 2}, "checkpoints": {"spaced": 3}}),
        ("defaults.checkpoints.spaced", 11),
    ],
)
def test_a_number_of_checkpoints_that_somebody_chose_stays_and_is_refused(path: str, value: Any) -> None:
    with pytest.raises(HeftError, match=r"checkpoints\.spaced is \d+; it must be at most training\.epochs, which is"):
        load(changed(path, value))

"""The columns of comparison.csv, the public contract, and how rows are ordered."""

COLUMNS = (
    "experiment",
    "seed",
    "variant",
    "method",
    "ensemble",
    "members",
    "options",
    "action",
    "fraction",
    "chosen",
    "n_removed",
    "val_loss",
    "test_loss",
    "test_accuracy",
    "demographic_parity_gap",
    "equal_opportunity_gap",
    "robust_accuracy",
    "noise_precision",
    "noise_recall",
    "noise_auroc",
    "noise_ap",
    "lds",
    "score_cpu_seconds",
    "score_peak_mb",
    "forward_passes",
    "retrain_cpu_seconds",
)
DESCRIPTION = COLUMNS[: COLUMNS.index("n_removed")]  # what a row is, before anything is measured
KEY = ("experiment", "seed", "variant", "action", "fraction")
COST_COLUMNS = ("score_cpu_seconds", "score_peak_mb", "forward_passes", "retrain_cpu_seconds")
DIVERGED = "diverged"  # a metric in long form: 1 where a model's loss is not finite, whose measured columns are empty
LOSS = "loss"  # the objective whose value on the validation split is a column, `val_loss`, and not in the long form
CLASS_ACCURACY = "test_accuracy_class_"  # with a class index: a metric in long form


def validation_metric(objective: str) -> str:
    """The name in the long form of an objective's value on the validation split."""
    return f"validation_{objective}"

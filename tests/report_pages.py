"""Pages for the tests of the report."""

FIGURES = {
    "answer", "over-random", "gain-by-method", "gain-by-ensemble", "precision-recall", "ensemble-size", "cost",
    "training", "agreement", "classes",
}  # fmt: skip

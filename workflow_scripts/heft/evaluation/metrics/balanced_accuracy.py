"""balanced_accuracy: mean over classes of the share of the class's test examples that are predicted as it."""

from heft.evaluation.metrics.declare import Measured, measure
from heft.kernels.class_means import mean_of_class_means


@measure(title="Balanced accuracy", unit="%", higher_is_better=True, chosen_by="macro_loss")
def balanced_accuracy(measured: Measured) -> float:
    """(1/C) sum_c recall_c over the C classes with a test example, in [0, 1]; a rare class counts as a frequent one."""
    right = measured.test.logits.argmax(dim=1) == measured.test.labels
    return float(mean_of_class_means(right.double(), measured.test.labels))

"""test_accuracy: share of test examples whose label is the model's largest logit."""

from heft.evaluation.metrics.declare import Measured, measure


@measure(title="Test accuracy", unit="%", higher_is_better=True, chosen_by="loss")
def test_accuracy(measured: Measured) -> float:
    """(1/n) sum_i [argmax_c logits_ic = y_i], in [0, 1]."""
    return float((measured.test.logits.argmax(dim=1) == measured.test.labels).double().mean())

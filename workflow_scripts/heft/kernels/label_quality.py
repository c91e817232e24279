"""What class probabilities say of a given label, as one number: the label qualities of confident learning."""

from typing import Literal

from torch import Tensor

from heft.kernels.logits import label_and_largest_other

Quality = Literal["normalized_margin", "self_confidence"]


def label_quality(probabilities: Tensor, labels: Tensor, quality: Quality) -> Tensor:
    """Qualities [n] of labels [n] under probabilities [n, n_classes]; low where the label is doubtful.

    self_confidence: the probability of the label, in [0, 1]. normalized_margin: that minus the largest of the others,
    in [-1, 1], below 0 where another class is likelier (Northcutt et al. 2021, section 4.2).
    """
    label, largest_other = label_and_largest_other(probabilities, labels)
    return label - largest_other if quality == "normalized_margin" else label


def likeliest_labels(probabilities: Tensor, labels: Tensor) -> Tensor:
    """The likeliest class of each row, int64 [n]: the given label where none is likelier, else the lowest of them."""
    label, largest_other = label_and_largest_other(probabilities, labels)
    return labels.where(label >= largest_other, probabilities.argmax(dim=1))

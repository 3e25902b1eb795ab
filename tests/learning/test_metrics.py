import math

import numpy as np
import pytest
import torch
from sklearn.metrics import jaccard_score

from noisylabels.learning.metrics import PooledIoU, class_ious
from tests.cases import draw


def score(pairs: list[tuple[str, str]], n_classes: int = 3, class_index: int | None = None) -> float:
    """Reference and prediction drawn, in this order."""
    metric = PooledIoU(n_classes, class_index)
    for reference, prediction in pairs:
        metric.update(([torch.as_tensor(draw(prediction))[None]], [torch.as_tensor(draw(reference))[None]]))
    return metric.compute()


def test_empty_fields_predicted_empty_score_one() -> None:
    assert score([(".... / ....", ".... / ....")]) == 1


def test_a_false_event_in_an_empty_field_counts() -> None:
    # background 15 of 16; class 1: 2 right of 3 pixels in either (one false, in the empty field)
    pairs = [("11.. / ....", "11.. / ...."), (".... / ....", "1... / ....")]
    assert score(pairs) == pytest.approx((13 / 14 + 2 / 3) / 2)
    assert score(pairs, class_index=1) == pytest.approx(2 / 3)


def test_a_class_that_occurs_nowhere_has_no_score() -> None:
    assert math.isnan(score([("11..", "11..")], class_index=2))


def test_pooled_scores_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    reference, prediction = rng.integers(0, 4, (2, 3, 5, 7))
    metric = PooledIoU(4)
    metric.update((list(torch.as_tensor(prediction)[:, None]), list(torch.as_tensor(reference)[:, None])))
    expected = jaccard_score(reference.ravel(), prediction.ravel(), average="macro")
    assert metric.compute() == pytest.approx(expected)
    metric.reset()
    metric.update((torch.as_tensor(prediction)[:, None], torch.as_tensor(reference)[:, None]))  # a batch as it is
    assert metric.compute() == pytest.approx(expected)
    for index, (name, one) in enumerate(class_ious(["background", "a", "b", "c d"], lambda output: output).items()):
        one.update(([torch.as_tensor(prediction)], [torch.as_tensor(reference)]))
        expected = jaccard_score(reference.ravel() == index, prediction.ravel() == index)
        assert one.compute() == pytest.approx(expected), name


def test_scores_count_by_the_highest_and_of_equal_ones_by_the_first() -> None:
    scores, reference = torch.zeros(2, 3, 1, 4), torch.tensor([[0, 1, 2, 2], [0, 0, 0, 0]]).reshape(2, 1, 1, 4)
    scores[0, 1, 0, 1] = scores[0, 2, 0, 2] = scores[0, 1, 0, 3] = 0.5  # field 1 is 0 1 2 1, field 2 all equal: 0
    for given in (scores, scores.contiguous(memory_format=torch.channels_last).requires_grad_()):
        for output in ((given, reference), (list(given), list(reference))):
            metric = PooledIoU(3)
            metric.update(output)
            assert metric.compute() == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)


def test_a_reference_without_an_axis_of_channels_is_no_sign_of_scores() -> None:
    metric = PooledIoU(3)
    metric.update(([torch.tensor([[[0, 1, 2]]])], [torch.tensor([[0, 1, 2]])]))
    assert metric.compute() == 1


def test_a_reset_forgets() -> None:
    metric = PooledIoU(2)
    metric.update(([torch.tensor([[1]])], [torch.tensor([[0]])]))
    metric.reset()
    metric.update(([torch.tensor([[1]])], [torch.tensor([[1]])]))
    assert metric.compute() == 1


def test_pixels_that_are_not_believed_are_left_out():
    metric = PooledIoU(n_classes=2)
    metric.update(([torch.tensor([[0, 1, 1]])], [torch.tensor([[0, 1, 255]])]))
    assert metric.compute() == 1.0

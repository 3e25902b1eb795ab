import math
import re

import numpy as np
import pytest

from evaluation.metrics.boundary import count_boundaries, score_boundaries
from evaluation.metrics.counts import FieldKey
from evaluation.metrics.fields import count_fields
from evaluation.metrics.tables import tabulate_data_set
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ROSELLA

torch = pytest.importorskip("torch")
from monai.metrics import compute_surface_dice  # noqa: E402
from monai.networks.utils import one_hot  # noqa: E402

from evaluation.metrics.monai_metrics import BoundaryF1Metric  # noqa: E402


def some_maps(n=4, shape=(40, 56)):
    from scipy import ndimage as ndi

    rng = np.random.default_rng(0)
    fields = ndi.gaussian_filter(rng.normal(size=(n, *shape)), (0, 3, 3)) * 12
    maps = np.digitize(fields, [0.4, 0.9]).astype(np.uint8)
    maps[0] = 0  # an empty field first
    return maps, np.roll(maps, 1, axis=2)


def batch(maps):
    return torch.from_numpy(maps.astype(np.int64))[:, None]


@pytest.mark.parametrize("hot", [False, True], ids=["class indices", "one-hot"])
@pytest.mark.parametrize("size", [1, 3])
def test_the_metric_equals_the_rooms_mean_bf_score_whatever_the_batches(hot, size):
    reference, prediction = some_maps()
    fields = [(FieldKey(f"f{i}", "CDL"), reference[i], prediction[i]) for i in range(4)]
    expected = tabulate_data_set(count_fields(fields, classes=ROSELLA)).MeanBFScore[0]
    metric = BoundaryF1Metric()
    for start in range(0, 4, size):
        y, y_pred = (batch(maps[start : start + size]) for maps in (reference, prediction))
        if hot:
            y, y_pred = one_hot(y, 3), one_hot(y_pred, 3)
        else:
            y_pred = one_hot(y_pred, 3)
        metric(y_pred=y_pred, y=y)
    assert float(metric.aggregate()) == pytest.approx(expected)


def test_reductions_keep_classes_or_fields():
    reference, prediction = some_maps()
    scores = {}
    for reduction in ("none", "mean_batch", "mean"):
        metric = BoundaryF1Metric(reduction=reduction, tolerance_px=1.5)
        metric(y_pred=one_hot(batch(prediction), 3), y=one_hot(batch(reference), 3))
        scores[reduction] = metric.aggregate()
    assert scores["none"].shape == (4, 3)
    np.testing.assert_allclose(scores["mean_batch"], np.nanmean(scores["none"], axis=0))
    np.testing.assert_allclose(scores["mean"], np.nanmean(np.nanmean(scores["none"], axis=1)))


def test_background_can_be_left_out():
    reference, prediction = some_maps()
    metric = BoundaryF1Metric(include_background=False, reduction="none")
    metric(y_pred=one_hot(batch(prediction), 3), y=one_hot(batch(reference), 3))
    assert metric.aggregate().shape == (4, 2)


def test_a_reset_metric_forgets():
    metric = BoundaryF1Metric()
    maps = one_hot(batch(some_maps()[0]), 3)
    metric(y_pred=maps, y=maps)
    metric.reset()
    message = "The boundary F1 must have counted a batch, got none. Call the metric before aggregate."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        metric.aggregate()


def test_two_maps_of_indices_need_the_number_of_classes():
    maps = batch(some_maps()[0])
    message = "The number of classes must be known, got two tensors of class indices. Pass n_classes, or one-hot."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        BoundaryF1Metric()(y_pred=maps, y=maps)
    metric = BoundaryF1Metric(n_classes=3, reduction="none")
    metric(y_pred=maps, y=maps)
    assert metric.aggregate().shape == (4, 3)


@pytest.mark.filterwarnings("ignore:monai.metrics.utils get_mask_edges:FutureWarning")  # MONAI calls itself so
@pytest.mark.filterwarnings("ignore:the (ground truth|prediction) of class:UserWarning")  # the empty field
@pytest.mark.parametrize("tolerance", [0.5, 1, 2, 3.192])
def test_our_nsd_is_monais_surface_dice(tolerance):
    reference, prediction = some_maps()
    theirs = compute_surface_dice(
        one_hot(batch(prediction), 3), one_hot(batch(reference), 3), [tolerance] * 3, include_background=True
    ).numpy()
    for field in range(4):
        counts = count_boundaries(
            reference[field], prediction[field], n_classes=3, tolerance_px=tolerance, inclusive=True
        )
        ours = score_boundaries(counts)["nsd"]
        both = ~np.isnan(theirs[field])
        np.testing.assert_allclose(ours[both], theirs[field][both], atol=1e-6)
        assert [math.isnan(value) for value in ours[1:]] == [field == 0] * 2

"""Mistakes in Python are told as well as those of the command line, and `help` shows types that can be read."""

import pydoc

import numpy as np
import pytest

import evaluation
import noisylabels as nl
from noisylabels.data.errors import InputError
from tests.evaluation.datasets import TRUTH

EMPTY = np.zeros((6, 8), np.uint8)
CALLS = {
    "a key that is a word": (
        lambda: evaluation.count_fields([("f1", TRUTH, TRUTH)], classes=nl.ROSELLA),
        "The key of a field must be a FieldKey, got 'f1'. Write evaluation.FieldKey('f1', 'CDL').",
    ),
    "unequal shapes, compiled": (
        lambda: evaluation.count_pixels(EMPTY, EMPTY[:4], n_classes=3, fast=True),
        "Reference and prediction must have one shape, got (6, 8) and (4, 8). "
        "Pair each prediction with its own reference.",
    ),
    "unequal shapes, lists": (
        lambda: evaluation.count_pixels(EMPTY.tolist(), EMPTY[:4], n_classes=3),
        "Reference and prediction must have one shape, got (6, 8) and (4, 8). "
        "Pair each prediction with its own reference.",
    ),
    "unequal shapes, boundaries": (
        lambda: evaluation.count_boundaries(EMPTY, EMPTY[:4], n_classes=3, tolerance_px=1),
        "Reference and prediction must have one shape, got (6, 8) and (4, 8). "
        "Pair each prediction with its own reference.",
    ),
    "values beyond the classes, compiled": (
        lambda: evaluation.count_pixels(TRUTH, TRUTH, n_classes=2, fast=True),
        "Values of reference must be class indices 0..1, got 2 in 8 pixels. Map or drop that class first.",
    ),
    "boundaries beyond the classes": (
        lambda: evaluation.count_boundaries(TRUTH, TRUTH, n_classes=2, tolerance_px=1),
        "Values of reference must be class indices 0..1, got 2 in 8 pixels. Map or drop that class first.",
    ),
    "a label map for counts": (
        lambda: evaluation.score_all(EMPTY),
        "confusion must be (..., C, C) counts, got shape (6, 8). Count label maps first: count_pixels.",
    ),
    "a label map for counts of boundaries": (
        lambda: evaluation.score_boundaries(EMPTY),
        "boundary must be (..., C, 4) counts, got shape (6, 8). Count first: count_boundaries.",
    ),
    "bare boxes": (
        lambda: evaluation.pair_boxes([[0, 0, 1, 1]], [[0, 0, 1, 1]]),  # type: ignore[arg-type]
        "Boxes must be Events, got list. Write Events.from_boxes(boxes, class_index) first.",
    ),
    "a stack of label maps": (
        lambda: nl.label_events(EMPTY[None]),
        "A label map must be (row, column) integers, got uint8 of shape (1, 6, 8). Give one two-dimensional label map.",
    ),
    "events without a class": (
        lambda: nl.measure_events(nl.label_events(TRUTH)[0], np.array([1], np.uint8)),
        "event_classes must be (event,), a class index for each event, got shape (1,) for events up to 4. "
        "Give those of label_events.",
    ),
    "an image of rows and columns": (
        lambda: nl.predict(np.zeros((16, 16)), "nuclei"),
        "An image must be (channel, row, column) with 1 channels (nuclei), got shape (16, 16). "
        "Add the channel axis, or choose channels.",
    ),
    "an image without pixels": (
        lambda: nl.predict(np.zeros((1, 0, 16)), "nuclei"),
        "An image must have rows and columns, got shape (1, 0, 16). Leave empty ones out.",
    ),
    "an image that is no number": (
        lambda: nl.predict(np.full((1, 16, 16), np.nan), "nuclei"),
        "Pixels of the image must be finite, got NaN or infinity in 256. Correct the file.",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_mistake_is_one_sentence(name):
    call, sentence = CALLS[name]
    with pytest.raises(InputError) as fault:
        call()
    assert str(fault.value) == sentence


@pytest.mark.parametrize("face", [nl, evaluation], ids=["noisylabels", "evaluation"])
def test_help_shows_short_types(face):
    for name in face.__all__:
        text = pydoc.render_doc(getattr(face, name), renderer=pydoc.plaintext)
        told = [line for line in text.splitlines() if "numpy.ndarray[" in line or "numpy._typing" in line]
        assert not told, f"{face.__name__}.{name}"

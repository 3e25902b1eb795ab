"""Galleries: the worst, the best and some random fields, each with image, reference, predictions and errors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.report.canvas import ERROR_COLOURS, class_colour
from evaluation.report.pages import Gallery, GalleryRow, Legend, Picture
from evaluation.report.pictures import Image, show_errors, show_image, show_labels
from noisylabels.data.labels import ClassTable, LabelMap


@dataclass(frozen=True)
class FieldView:
    """The pixels of one field, as a gallery shows them.

    Args:
        image: (channel, row, column).
        reference: (row, column) class indices.
        predictions: (row, column) class indices by method.
    """

    image: Image
    reference: LabelMap
    predictions: dict[str, LabelMap]


def choose_fields(scores: ArrayLike, *, n: int, rng: np.random.Generator) -> dict[str, NDArray[np.intp]]:
    """Choose the fields worth looking at: the worst, the best, and some at random; none twice.

    Args:
        scores: (field,) scores, higher is better; fields with nan are only ever chosen at random. Not modified.
        n: How many of each.
        rng: Source of randomness.

    Returns:
        Positions by "worst", "best" and "random"; the extremes come first when there are too few fields for all.

    Examples:
        >>> chosen = choose_fields([0.9, 0.1, 0.5], n=1, rng=np.random.default_rng(0))
        >>> {name: places.tolist() for name, places in chosen.items()}
        {'worst': [1], 'best': [0], 'random': [2]}
    """
    values = np.asarray(scores, float)
    order = np.argsort(values, kind="stable")[: int((~np.isnan(values)).sum())]
    worst = order[: min(n, (len(order) + 1) // 2)]
    best = order[len(worst) :][::-1][:n]
    rest = np.setdiff1d(np.arange(len(values)), np.concatenate([worst, best]))
    return {"worst": worst, "best": best, "random": np.sort(rng.permutation(rest)[:n])}


def show_fields(
    title: str,
    fields: Sequence[tuple[str, str]],
    look: Callable[[str], FieldView],
    *,
    classes: ClassTable,
    channel_names: Sequence[str],
    spans: Sequence[float] | None = None,
    reference: str = "reference",
) -> Gallery:
    """Make a gallery.

    Args:
        title: Why these fields.
        fields: Name and remark of each.
        look: Gives the pixels of a field by its name; called once each, so that one field is in memory at a time.
        classes: The class table.
        channel_names: One name per channel of the images.
        spans: Usual range of each channel; None: each image its own.
        reference: What to call the reference.
    """
    rows = tuple(
        GalleryRow(name, remark, _panels(look(name), channel_names, spans, reference)) for name, remark in fields
    )
    words = {"found": "right", "missed": "missed", "spurious": "spurious", "misclassified": "of another class"}
    legends = (
        Legend("label maps", tuple((class_colour(index), classes.names[index]) for index in classes.indices if index)),
        Legend("errors", tuple((ERROR_COLOURS[kind], word) for kind, word in words.items())),
    )
    return Gallery(title, rows, legends)


def _panels(
    view: FieldView, channel_names: Sequence[str], spans: Sequence[float] | None, reference: str
) -> tuple[Picture, ...]:
    """Two lines of one column each for the field and for every method: what it shows above, how it errs below."""
    picture = show_image(view.image, channel_names, spans=spans)
    image = Picture(f"image ({' + '.join(channel_names)})", picture)
    maps = [Picture(method, show_labels(prediction)) for method, prediction in view.predictions.items()]
    errors = [
        Picture(f"errors of {method}", show_errors(view.reference, prediction, view.image, spans=spans))
        for method, prediction in view.predictions.items()
    ]
    return (image, *maps, Picture(reference, show_labels(view.reference)), *errors)

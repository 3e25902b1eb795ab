"""Galleries: the worst, the best and some random fields, each with image, reference, predictions and errors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.report.canvas import ERROR_COLOURS, class_colour, colour_word
from evaluation.report.pages import Gallery, GalleryRow, Legend, Picture
from evaluation.report.pictures import Image, name_channels, show_errors, show_image, show_labels
from evaluation.report.scale_bars import choose_scale_bar
from noisylabels.data.labels import ClassTable, LabelMap


@dataclass(frozen=True)
class FieldView:
    """The pixels of one field, as a gallery shows them.

    Args:
        image: (channel, row, column).
        reference: (row, column) class indices.
        predictions: (row, column) class indices by method.
        pixel_size_um: Side of a pixel in micrometres, None when unknown.
    """

    image: Image
    reference: LabelMap
    predictions: dict[str, LabelMap]
    pixel_size_um: float | None = None


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
    rows = []
    for name, remark in fields:
        view = look(name)
        rows.append(lay_row(name, remark, _panels(view, channel_names, spans, reference), view))
    words = {"found": "right", "missed": "missed", "spurious": "spurious", "misclassified": "of another class"}
    legends = (class_legend(classes), error_legend("errors", words))
    return Gallery(title, tuple(rows), legends)


def lay_row(field: str, remark: str, panels: tuple[Picture, ...], view: FieldView) -> GalleryRow:
    """Lay the panels of a field side by side, with a scale bar where the size of a pixel is known.

    Args:
        field: Name of the field.
        remark: Its scores, in a phrase.
        panels: What to show, all of the size of the field.
        view: The pixels of the field.
    """
    n_rows, n_columns = view.reference.shape
    return GalleryRow(field, remark, panels, (n_rows, n_columns), choose_scale_bar(n_columns, view.pixel_size_um))


def class_legend(classes: ClassTable) -> Legend:
    """Name the colours of the classes."""
    colours = {classes.names[index]: class_colour(index) for index in classes.indices if index}
    return Legend("label maps", tuple((colour, f"{name} ({colour_word(colour)})") for name, colour in colours.items()))


def error_legend(title: str, words: Mapping[str, str]) -> Legend:
    """Name the colours of errors.

    Args:
        title: In which panels.
        words: What to call each kind of error.
    """
    colours = {word: ERROR_COLOURS[kind] for kind, word in words.items()}
    return Legend(title, tuple((colour, f"{word} ({colour_word(colour)})") for word, colour in colours.items()))


def _panels(
    view: FieldView, channel_names: Sequence[str], spans: Sequence[float] | None, reference: str
) -> tuple[Picture, ...]:
    """Two lines of one column each for the field and for every method: what it shows above, how it errs below."""
    picture = show_image(view.image, channel_names, spans=spans)
    image = Picture(f"image ({name_channels(channel_names)})", picture)
    maps = [Picture(method, show_labels(prediction)) for method, prediction in view.predictions.items()]
    errors = [
        Picture(f"errors of {method}", show_errors(view.reference, prediction, view.image, spans=spans))
        for method, prediction in view.predictions.items()
    ]
    return (image, *maps, Picture(reference, show_labels(view.reference)), *errors)

"""Fields of a measured screen, to be looked at: one in the middle, and those with the fewest and the most events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.report.galleries import FieldView, class_legend, lay_row
from evaluation.report.pages import Gallery, GalleryRow, Picture, Section
from evaluation.report.pictures import name_channels, show_image, show_labels, usual_spans
from noisylabels.data.labels import ClassTable

N_EXTREMES = 2
"""Fields shown of each end."""


@dataclass(frozen=True)
class MeasuredFields:
    """The fields of a measured screen.

    Args:
        events: How many events the method found, by name of the field.
        look: Gives the pixels of a field by its name, the method's label map as `reference`; None where the image
            cannot be read any more.
        classes: The class table.
        channel_names: One name per channel of the images.
    """

    events: Mapping[str, int]
    look: Callable[[str], FieldView | None]
    classes: ClassTable
    channel_names: tuple[str, ...]


def choose_measured(events: Mapping[str, int]) -> tuple[str, list[str]]:
    """Choose the field with the middle number of events, and the fields with the fewest and the most.

    Args:
        events: How many events, by name of the field; at least one.

    Examples:
        >>> choose_measured({"a": 5, "b": 0, "c": 9, "d": 4, "e": 6, "f": 7})
        ('e', ['b', 'd', 'c', 'f'])
    """
    order = sorted(events, key=lambda name: events[name])
    typical = order.pop(len(order) // 2)
    fewest = order[:N_EXTREMES]
    return typical, [*fewest, *order[len(fewest) :][::-1][:N_EXTREMES]]


def show_measured(found: MeasuredFields) -> tuple[Gallery | None, Section | None]:
    """Show the field in the middle, and the extremes: image and label map side by side.

    Args:
        found: The fields.

    Returns:
        The typical field, and a section of the extremes; None where there are none, or no image can be read.
    """
    if not found.events:
        return None, None
    middle, extremes = choose_measured(found.events)
    views = {name: view for name in (middle, *extremes) if (view := found.look(name)) is not None}
    spans = usual_spans(view.image for view in views.values()) if views else None
    rows = {name: _row(name, view, found, spans) for name, view in views.items()}
    typical = [rows[middle]] if middle in rows else []
    ends = [rows[name] for name in extremes if name in rows]
    legends = (class_legend(found.classes),)
    lead = "Too few events may be a field out of focus, too many noise or dirt: numbers do not say which."
    section = Section(
        "look", "Look at these fields first", lead, (Gallery("Fewest and most events", (*ends,), legends),)
    )
    return (
        Gallery("A typical field: its number of events is the middle one", (*typical,), legends) if typical else None,
        section if ends else None,
    )


def _row(name: str, view: FieldView, found: MeasuredFields, spans: Sequence[float] | None) -> GalleryRow:
    labels = np.asarray(view.reference)
    panels = (
        Picture(
            f"image ({name_channels(found.channel_names)})", show_image(view.image, found.channel_names, spans=spans)
        ),
        Picture("what was found", show_labels(labels)),
    )
    return lay_row(name, f"{found.events[name]} events", panels, view)

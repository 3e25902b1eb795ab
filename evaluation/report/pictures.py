"""Pictures of fields: the image, label maps, and where a prediction errs, in colour-blind-safe colours."""

import io
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.report.canvas import ERROR_COLOURS, class_colour
from evaluation.report.tables import data_uri
from noisylabels.data.labels import LabelMap

Image = NDArray[np.generic]

GREY_LEVELS = 40  # of the image under an overlay: enough to recognise cells, few enough to compress
GREY_TOP = 150  # of 255: the image under an overlay stays darker than the colours on it
STRETCH = (1.0, 99.8)  # percentiles of a channel shown as black and as full colour
DARK = (18, 21, 26)
CHANNEL_COLOURS = {"DsRed": (1, 0, 1), "pHluorin": (0, 1, 0)}  # magenta and green: told apart by all readers
SPARE_COLOURS = ((0, 1, 0), (1, 0, 1), (0, 0.6, 1))
GREY = (1, 1, 1)
COLOUR_WORDS: dict[tuple[float, ...], str] = {
    (1, 0, 1): "magenta",
    (0, 1, 0): "green",
    (0, 0.6, 1): "blue",
    GREY: "grey",
}


def show_image(image: Image, channel_names: Sequence[str], *, spans: Sequence[float] | None = None) -> str:
    """Render a field's image as a data URI: each channel stretched on its own, two channels as magenta and green.

    Args:
        image: (channel, row, column), or (channel, plane, row, column), of which the brightest plane per pixel is
            shown. Not modified.
        channel_names: One name per channel.
        spans: Usual range of each channel's intensities, see `usual_spans`; None: that of the image.
    """
    from PIL import Image as Pillow

    buffer = io.BytesIO()
    picture = Pillow.fromarray(compose(image, channel_names, spans=spans))
    picture.save(buffer, "JPEG", quality=86, subsampling=0)
    return data_uri("image/jpeg", buffer.getvalue())


def compose(image: Image, channel_names: Sequence[str], *, spans: Sequence[float] | None = None) -> NDArray[np.uint8]:
    """Mix the channels of an image into colours.

    Args:
        image: (channel, row, column) or (channel, plane, row, column). Not modified.
        channel_names: One name per channel.
        spans: Usual range of each channel's intensities; None: that of the image.

    Returns:
        (row, column, 3) uint8.

    Examples:
        >>> compose(np.array([[[0, 1]], [[1, 0]]]), ["DsRed", "pHluorin"])[0]  # a red-only and a green-only pixel
        array([[  0, 255,   0],
               [255,   0, 255]], dtype=uint8)
    """
    flat = _flat(image)
    mixed = np.zeros((*flat.shape[1:], 3))
    for channel, colour, span in zip(flat, _channel_colours(channel_names), spans or [0.0] * len(flat), strict=True):
        mixed += stretch(channel, usual_span=span)[..., None] * np.array(colour, float)
    return np.asarray(255 * np.clip(mixed, 0, 1), np.uint8)


def usual_spans(images: Iterable[Image]) -> list[float]:
    """Return the usual range of intensities of each channel: the median over fields.

    Args:
        images: (channel, row, column) each, of the same channels; read one after the other. Not modified.

    Examples:
        >>> usual_spans([np.array([[[0, 100]]]), np.array([[[0, 300]]]), np.array([[[5, 5]]])])
        [98.8]
    """
    spans = [[float(np.subtract(*np.percentile(channel, STRETCH[::-1]))) for channel in _flat(one)] for one in images]
    return [float(span) for span in np.median(spans, axis=0)] if spans else []


def stretch(channel: NDArray[np.generic], *, usual_span: float = 0.0) -> NDArray[np.float64]:
    """Scale a channel to [0, 1] between two percentiles; an even channel becomes 0.

    Args:
        channel: (row, column) intensities. Not modified.
        usual_span: Range that other fields have. A field with less than half of it is not stretched to full: an empty
            field stays dark, instead of showing its noise as if it were signal.
    """
    values = np.asarray(channel, float)
    low, high = np.percentile(values, STRETCH)
    span = max(high - low, usual_span / 2)
    return np.clip((values - low) / span, 0, 1) if span > 0 else np.zeros(values.shape)


def show_labels(label_map: LabelMap) -> str:
    """Render a label map as a data URI: each class in its colour on a dark ground.

    Args:
        label_map: (row, column) class indices. Not modified.
    """
    palette = [DARK, *(_rgb(class_colour(index)) for index in range(1, 256))]
    return _paletted(np.asarray(label_map, np.uint8), palette)


def show_errors(
    reference: LabelMap, prediction: LabelMap, image: Image, *, spans: Sequence[float] | None = None
) -> str:
    """Render where a prediction errs as a data URI, on the darkened image.

    Light grey: right; vermilion: missed; sky blue: spurious; yellow: of another class.

    Args:
        reference: (row, column) class indices. Not modified.
        prediction: (row, column) class indices. Not modified.
        image: The image to put under it. Not modified.
        spans: Usual range of each channel's intensities; None: that of the image.
    """
    ground = _ground(image, spans)
    kinds = ("found", "missed", "spurious", "misclassified")
    palette = _greys() + [_rgb(ERROR_COLOURS[kind]) for kind in kinds]
    codes = error_codes(reference, prediction)
    return _paletted(np.where(codes == 0, ground, codes + GREY_LEVELS - 1), palette)


def show_disagreement(first: LabelMap, second: LabelMap, image: Image, *, spans: Sequence[float] | None = None) -> str:
    """Render where two predictions disagree as a data URI: light grey where they agree on an event.

    Vermilion: only the first has an event; sky blue: only the second; yellow: both, of different classes.

    Args:
        first: (row, column) class indices. Not modified.
        second: (row, column) class indices. Not modified.
        image: The image to put under it. Not modified.
        spans: Usual range of each channel's intensities; None: that of the image.
    """
    return show_errors(first, second, image, spans=spans)


def error_codes(reference: LabelMap, prediction: LabelMap) -> NDArray[np.uint8]:
    """Return pixel by pixel how a prediction errs.

    Args:
        reference: (row, column) class indices. Not modified.
        prediction: (row, column) class indices. Not modified.

    Returns:
        (row, column): 0 background in both, 1 right, 2 missed, 3 spurious, 4 of another class.

    Examples:
        >>> error_codes(np.array([0, 1, 1, 0, 1]), np.array([0, 1, 0, 2, 2]))
        array([0, 1, 2, 3, 4], dtype=uint8)
    """
    is_event, is_predicted = reference > 0, prediction > 0
    codes = np.zeros(reference.shape, np.uint8)
    codes[is_event & ~is_predicted] = 2
    codes[~is_event & is_predicted] = 3
    codes[is_event & is_predicted] = np.where(reference == prediction, 1, 4)[is_event & is_predicted]
    return codes


def _ground(image: Image, spans: Sequence[float] | None) -> NDArray[np.uint8]:
    flat = _flat(image)
    channels = zip(flat, spans or [0.0] * len(flat), strict=True)
    brightest = np.max([stretch(channel, usual_span=span) for channel, span in channels], axis=0)
    return np.asarray(np.round(brightest * (GREY_LEVELS - 1)), np.uint8)


def _greys() -> list[tuple[int, int, int]]:
    return [(round(GREY_TOP * level / (GREY_LEVELS - 1)),) * 3 for level in range(GREY_LEVELS)]


def _flat(image: Image) -> NDArray[np.generic]:
    return image.max(1) if image.ndim == 4 else image


def _channel_colours(names: Sequence[str]) -> list[tuple[float, ...]]:
    if len(names) == 1:
        return [GREY]
    known = [CHANNEL_COLOURS.get(name) for name in names]
    if all(known) and len(set(known)) == len(known):
        return [colour for colour in known if colour]
    return [SPARE_COLOURS[place % len(SPARE_COLOURS)] for place in range(len(names))]


def name_channels(names: Sequence[str]) -> str:
    """Name the channels of an image with the colours that show them.

    Examples:
        >>> name_channels(["DsRed", "pHluorin"]), name_channels(["DNA"])
        ('DsRed magenta, pHluorin green', 'DNA grey')
    """
    colours = _channel_colours(names)
    return ", ".join(f"{name} {COLOUR_WORDS[colour]}" for name, colour in zip(names, colours, strict=True))


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _paletted(indices: NDArray[np.uint8], palette: Sequence[tuple[int, ...]]) -> str:
    from PIL import Image as Pillow

    picture = Pillow.fromarray(indices.astype(np.uint8)).convert("P")
    picture.putpalette([value for colour in palette for value in colour])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return data_uri("image/png", buffer.getvalue())

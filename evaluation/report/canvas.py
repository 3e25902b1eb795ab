"""The look of every figure: one theme, colours that colour-blind readers can tell apart, SVG out."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluation.report.tables import data_uri

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

# Okabe & Ito's palette, safe for colour-blind readers (https://jfly.uni-koeln.de/color/).
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
INK, FAINT, RULE = "#22262b", "#6b737c", "#d5d9de"

METHOD_COLOURS = {"cip": "#7d858e", "cdl": BLUE, "mdl": GREEN}
OTHER_METHODS = (PURPLE, ORANGE, VERMILION, SKY, BLACK)
CLASS_COLOURS = (RULE, GREEN, PURPLE, ORANGE, BLUE, YELLOW, SKY, VERMILION)
ERROR_COLOURS = {
    "found": "#c3c9cf",
    "incomplete": ORANGE,
    "misclassified": YELLOW,
    "missed": VERMILION,
    "spurious": SKY,
    "split": GREEN,
    "merged": BLUE,
}

COLOUR_WORDS = {
    BLACK: "black",
    ORANGE: "orange",
    SKY: "sky blue",
    GREEN: "green",
    YELLOW: "yellow",
    BLUE: "blue",
    VERMILION: "vermilion",
    PURPLE: "purple",
    ERROR_COLOURS["found"]: "light grey",
}

THEME = {
    "svg.fonttype": "none",
    "svg.hashsalt": "noisylabels",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib; the same measures everywhere
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.7,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "hatch.color": RULE,
    "hatch.linewidth": 0.7,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "figure.dpi": 100,
}


@dataclass(frozen=True)
class Figure:
    """A drawn figure.

    Args:
        name: File name of its SVG, without suffix.
        caption: What it shows and how to read it.
        svg: The drawing.
    """

    name: str
    caption: str
    svg: bytes

    @property
    def uri(self) -> str:
        """The drawing as a data URI."""
        return data_uri("image/svg+xml", self.svg)


@contextmanager
def canvas(width: float, height: float) -> Iterator["Canvas"]:
    """Return an empty drawing of `width` x `height` inches in the theme of the reports."""
    import matplotlib as mpl
    from matplotlib.figure import Figure as Canvas

    with mpl.rc_context(THEME):
        yield Canvas(figsize=(width, height), layout="constrained")


def finish(drawing: "Canvas", *, name: str, caption: str) -> Figure:
    """Turn a drawing into SVG: the same bytes for the same content, on any day."""
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context(THEME):
        drawing.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return Figure(name, caption, buffer.getvalue())


def colours_of(methods: Sequence[str]) -> dict[str, str]:
    """Return the colour of each method: CIP, CDL and MDL always the same, others in order.

    Examples:
        >>> colours_of(["CDL", "watershed"])
        {'CDL': '#0072B2', 'watershed': '#CC79A7'}
    """
    others = [method for method in methods if method.lower() not in METHOD_COLOURS]
    spare = {method: OTHER_METHODS[place % len(OTHER_METHODS)] for place, method in enumerate(others)}
    return {method: METHOD_COLOURS.get(method.lower()) or spare[method] for method in methods}


def class_colour(index: int) -> str:
    """Return the colour of a class by its index; the background is grey."""
    return CLASS_COLOURS[0] if index == 0 else CLASS_COLOURS[1 + (index - 1) % (len(CLASS_COLOURS) - 1)]


def colour_word(colour: str) -> str:
    """Call a colour by its name, for readers who cannot tell the swatches apart.

    Examples:
        >>> colour_word(class_colour(1)), colour_word(ERROR_COLOURS["missed"])
        ('green', 'vermilion')
    """
    return COLOUR_WORDS[colour]

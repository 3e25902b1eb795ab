"""A report as data, and its page: one HTML file that needs no network, no script and no other file."""

from dataclasses import dataclass
from typing import Literal

from evaluation.report.canvas import Figure
from evaluation.report.scale_bars import ScaleBar
from evaluation.report.tables import Table

Light = Literal["good", "doubt", "bad"]


@dataclass(frozen=True)
class Picture:
    """One panel of a gallery.

    Args:
        caption: What it shows.
        uri: The picture as a data URI.
    """

    caption: str
    uri: str


@dataclass(frozen=True)
class GalleryRow:
    """The panels of one field.

    Args:
        field: Name of the field, as its files are named.
        remark: Its scores, in a phrase.
        pictures: Its panels, in two lines of equally many; two stand side by side.
        shape: Rows and columns of its panels, in pixels.
        bar: The scale bar over its first panel; None where the size of a pixel is not known.
    """

    field: str
    remark: str
    pictures: tuple[Picture, ...]
    shape: tuple[int, int]
    bar: ScaleBar | None = None

    @property
    def n_columns(self) -> int:
        """How many panels stand in a line."""
        return len(self.pictures) if len(self.pictures) < 3 else (len(self.pictures) + 1) // 2


@dataclass(frozen=True)
class Legend:
    """What colours mean.

    Args:
        title: In which panels.
        entries: Colour and meaning, in order.
    """

    title: str
    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Gallery:
    """Fields side by side.

    Args:
        title: Why these fields.
        rows: One per field.
        legends: What the colours mean.
    """

    title: str
    rows: tuple[GalleryRow, ...]
    legends: tuple[Legend, ...] = ()


@dataclass(frozen=True)
class Check:
    """One thing that can make the numbers mislead.

    Args:
        light: "good", "doubt" or "bad".
        text: What was looked at, and what was found.
    """

    light: Light
    text: str


@dataclass(frozen=True)
class Section:
    """One part of a report.

    Args:
        anchor: Its address within the page.
        title: Its head.
        lead: What the reader should take from it; may be empty.
        items: Tables, figures, galleries and paragraphs, in order.
    """

    anchor: str
    title: str
    lead: str
    items: tuple[Table | Figure | Gallery | str, ...]


@dataclass(frozen=True)
class Report:
    """A whole report.

    Args:
        title: What was compared, on what.
        verdict: The answer in one or two sentences, with its interval.
        light: Whether the verdict is a finding ("good"), open ("doubt") or against the method ("bad").
        facts: Name and value of what was done: inputs, policies, versions.
        checks: What can mislead.
        sections: The rest, in order.
        look: What to look at first, in a sentence; may be empty.
        picture: The answer as a picture, if there is one.
        points: Sentences that stand beside the verdict: events found and false, what is not better.
        next_step: What a person should do now, in a sentence; may be empty.
        typical: One field that stands for all, shown first; None where there are no images.
    """

    title: str
    verdict: str
    light: Light
    facts: tuple[tuple[str, str], ...]
    checks: tuple[Check, ...]
    sections: tuple[Section, ...]
    look: str = ""
    picture: Figure | None = None
    points: tuple[str, ...] = ()
    next_step: str = ""
    typical: Gallery | None = None

    @property
    def spoken(self) -> str:
        """The answer as lines of a terminal: the verdict, what stands beside it, and what comes next."""
        return "\n".join([self.verdict, *self.points, *([f"Next: {self.next_step}."] if self.next_step else [])])

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables, in order."""
        return tuple(item for section in self.sections for item in section.items if isinstance(item, Table))

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures, in order."""
        drawn = [item for section in self.sections for item in section.items if isinstance(item, Figure)]
        return tuple(drawn if self.picture is None else [self.picture, *drawn])


def render_page(report: Report) -> str:
    """Write a report as one HTML file.

    Args:
        report: What to show.

    Returns:
        The page. Everything in it - pictures, tables as CSV, figures as SVG - travels within the page.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("evaluation.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.tests["table"] = lambda item: isinstance(item, Table)
    templates.tests["figure"] = lambda item: isinstance(item, Figure)
    templates.tests["gallery"] = lambda item: isinstance(item, Gallery)
    return templates.get_template("page.html.j2").render(report=report)

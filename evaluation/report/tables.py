"""Tables of a report: numbers with heads, shown as HTML and downloadable as CSV."""

import base64
import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from evaluation.statistics.intervals import Interval

Cell = str | int | float | Interval | None

Style = Literal["plain", "signed", "percent", "p", "amount"]
"""`plain`: 3 decimals; `signed`: with its sign; `percent`: signed, in percent; `p`: a p-value; `amount`: 4 digits."""


@dataclass(frozen=True)
class Table:
    """A table of a report.

    Args:
        name: File name of its CSV, without suffix.
        title: What it shows, in words.
        columns: Heads.
        rows: Cells, one per column. An `Interval` becomes three columns in the CSV.
        note: How to read it, and what was left out; may be empty.
        emphasis: Positions of rows to set in bold.
        styles: How to write the numbers of a column, by its head; see `text_of`.
        grouped: Whether the page writes equal first cells of rows that follow each other only once.
        shown: How many rows the page shows; the CSV has all.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    emphasis: tuple[int, ...] = ()
    styles: Mapping[str, Style] = field(default_factory=dict)
    grouped: bool = False
    shown: int = 60

    @property
    def csv_uri(self) -> str:
        """The table's CSV as a data URI: a download that needs neither a server nor a script."""
        return data_uri("text/csv", csv_text(self).encode())

    def is_numeric(self, column: int) -> bool:
        """Return whether a column holds numbers, to set it flush right."""
        cells = [row[column] for row in self.rows if row[column] is not None]
        return bool(cells) and not any(isinstance(cell, str) for cell in cells)

    def texts(self) -> list[list[str]]:
        """Write the shown cells as a reader wants them."""
        texts = [
            [text_of(cell, style=self.styles.get(head, "plain")) for head, cell in zip(self.columns, row, strict=True)]
            for row in self.rows[: self.shown]
        ]
        if not self.grouped:
            return texts
        firsts = [None, *(row[0] for row in texts)]
        return [["" if row[0] == before else row[0], *row[1:]] for row, before in zip(texts, firsts, strict=False)]


def csv_text(table: Table) -> str:
    """Write a table as CSV, at full precision; an interval takes three columns.

    Examples:
        >>> table = Table("t", "T", ("method", "IoU"), (("CIP", Interval(0.5, 0.4, 0.6, 0.95, 9)), ("CDL", None)))
        >>> print(csv_text(table), end="")
        method,IoU,IoU low,IoU high
        CIP,0.5,0.4,0.6
        CDL,,,
    """
    wide = [any(isinstance(row[place], Interval) for row in table.rows) for place in range(len(table.columns))]
    heads = [
        name
        for head, triple in zip(table.columns, wide, strict=True)
        for name in ((head, f"{head} low", f"{head} high") if triple else (head,))
    ]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(heads)
    for row in table.rows:
        writer.writerow([value for cell, triple in zip(row, wide, strict=True) for value in _csv_cells(cell, triple)])
    return buffer.getvalue()


def _csv_cells(cell: Cell, triple: bool) -> list[str | int | float]:
    if isinstance(cell, Interval):
        values: Sequence[Cell] = (cell.estimate, cell.low, cell.high)
    else:
        values = (cell, None, None) if triple else (cell,)
    return ["" if value is None else value for value in values]  # type: ignore[misc]


def text_of(cell: Cell, *, style: Style = "plain") -> str:
    """Write a cell as a reader wants it: three decimals, intervals in brackets, a dash where undefined.

    Examples:
        >>> text_of(0.51234), text_of(Interval(0.5, 0.4, 0.6, 0.95, 9)), text_of(float("nan")), text_of(1234567)
        ('0.512', '0.500 [0.400, 0.600]', '–', '1\u202f234\u202f567')
        >>> text_of(Interval(0.2, -0.1, 0.6, 0.95, 9), style="percent"), text_of(0.00001, style="p")
        ('+20.0 % [−10.0, +60.0]', '< 0.0001')
    """
    if cell is None:
        return "–"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Interval):
        if math.isnan(cell.estimate):
            return "–"
        if math.isnan(cell.low):
            return f"{_number(cell.estimate, style)} [–]"
        ends = [_number(end, style).removesuffix(" %") for end in (cell.low, cell.high)]
        return f"{_number(cell.estimate, style)} [{', '.join(ends)}]"
    if isinstance(cell, int):
        return f"{cell:,}".replace(",", "\u202f")  # narrow no-break space
    return _number(float(cell), style)


def _number(value: float, style: Style) -> str:
    if math.isnan(value):
        return "–"
    if style == "p":
        return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
    if style == "percent":
        return f"{100 * value:+.1f} %".replace("-", "−")
    if style == "amount":
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}".replace(",", "\u202f")
    sign = "+" if style == "signed" else ""
    digits = 3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    return f"{value:{sign}.{digits}f}".replace("-", "−")


def data_uri(kind: str, data: bytes) -> str:
    """Put bytes into an address that a page carries within itself."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"

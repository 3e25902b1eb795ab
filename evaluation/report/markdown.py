"""A report as Markdown: what a repository shows of it, with its tables and figures as files beside the page."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from evaluation.report.canvas import Figure
from evaluation.report.pages import Report, Section
from evaluation.report.tables import Table, csv_text
from noisylabels.data.atomic import write_bytes, write_text

PAGE = "README.md"
MOST_ROWS = 30
"""A longer table is named and linked, not shown."""


def write_markdown(report: Report, folder: str | Path, *, commands: Sequence[str] = ()) -> Path:
    """Write a report's page as README.md, and every table and figure of it as a file beside the page.

    Args:
        report: The report. Its galleries are left out: pictures travel within the HTML page only.
        folder: Where to; gets README.md, *.csv and *.svg, each whole or not at all.
        commands: Command lines that made it.

    Returns:
        The path of the page.
    """
    root = Path(folder)
    for table in report.tables:
        write_text(root / f"{table.name}.csv", csv_text(table))
    for figure in report.figures:
        write_bytes(root / f"{figure.name}.svg", figure.svg)
    write_text(root / PAGE, render_markdown(report, commands=commands))
    return root / PAGE


def render_markdown(report: Report, *, commands: Sequence[str] = ()) -> str:
    """Write a report as Markdown.

    Args:
        report: The report.
        commands: Command lines that made it.

    Returns:
        The page: title, verdict, commands, facts, what can mislead, and its sections.
    """
    parts = [f"# {report.title}", report.verdict]
    parts += ["\n".join(f"    {line}" for line in commands)] if commands else []
    parts += ["\n".join(f"- {name}: {value}" for name, value in report.facts)]
    parts += ["\n".join(f"- **{check.text}**" for check in report.checks)]
    parts += [text for section in report.sections for text in _section(section)]
    return "\n\n".join(part for part in parts if part) + "\n"


def table_lines(table: Table) -> list[str]:
    """Write a table's shown rows as the lines of a Markdown table.

    Examples:
        >>> table_lines(Table("t", "T", ("method", "IoU"), (("CIP", 0.5), ("CDL", None))))
        ['| method | IoU |', '|---|---|', '| CIP | 0.500 |', '| CDL | – |']
    """
    rows = [table.columns, *table.texts()]
    head, *body = ["| " + " | ".join(_escaped(cell) for cell in row) + " |" for row in rows]
    return [head, "|" + "---|" * len(table.columns), *body]


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.title}"
    yield section.lead
    for item in section.items:
        if isinstance(item, Table):
            yield f"**{item.title}** ([{item.name}.csv]({item.name}.csv))"
            yield "\n".join(table_lines(item)) if len(item.rows) <= MOST_ROWS else ""
            yield item.note
        elif isinstance(item, Figure):
            yield f"![{_describe(item)}]({item.name}.svg)"
            yield item.caption
        elif isinstance(item, str):
            yield item


def _describe(figure: Figure) -> str:
    """Return in a few words what a figure shows, for readers who do not see it."""
    shown = re.split(r"[.;]\s|[;.]$| \(", figure.caption, maxsplit=1)[0]
    return f"{figure.name.replace('_', ' ')}: {shown.translate(str.maketrans('[]', '()'))}"


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")

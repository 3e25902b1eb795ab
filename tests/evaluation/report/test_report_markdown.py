"""A report as Markdown: all of it that is no picture, whole tables beside it."""

from evaluation.report.canvas import Figure
from evaluation.report.markdown import MOST_ROWS, render_markdown, write_markdown
from evaluation.report.pages import Check, Report, Section
from evaluation.report.tables import Table
from evaluation.statistics.intervals import Interval

FIGURE = Figure("curves", "What it shows.", b"<svg/>")
TABLE = Table("arms", "Every arm", ("method", "Dice"), (("a | b", Interval(0.5, 0.4, 0.6, 0.95, 9)),), note="A note.")


def report(*items):
    section = Section("scores", "Scores", "A lead.", items)
    return Report("A title", "A verdict.", "good", (("runs", "3"),), (Check("doubt", "Few seeds."),), (section,))


def test_an_empty_report_is_its_title_and_verdict():
    assert render_markdown(Report("A title", "A verdict.", "good", (), (), ())) == "# A title\n\nA verdict.\n"


def test_every_part_stands_in_order():
    page = render_markdown(report(FIGURE, TABLE, "A paragraph."), commands=["noisylabels experiment run tiny"])
    assert page == (
        "# A title\n\nA verdict.\n\n    noisylabels experiment run tiny\n\n- runs: 3\n\n- **Few seeds.**\n\n"
        "## Scores\n\nA lead.\n\n![curves: What it shows](curves.svg)\n\nWhat it shows.\n\n"
        "**Every arm** ([arms.csv](arms.csv))\n\n"
        "| method | Dice |\n|---|---|\n| a \\| b | 0.500 [0.400, 0.600] |\n\nA note.\n\nA paragraph.\n"
    )


def test_a_long_table_is_linked_and_lies_whole_beside_the_page(tmp_path):
    long = Table("runs", "Runs", ("run",), tuple((str(number),) for number in range(MOST_ROWS + 1)))
    path = write_markdown(report(FIGURE, long), tmp_path / "out")
    assert path.name == "README.md"
    assert "[runs.csv](runs.csv)" in path.read_text()
    assert "| run |" not in path.read_text()
    assert len((tmp_path / "out" / "runs.csv").read_text().splitlines()) == MOST_ROWS + 2
    assert (tmp_path / "out" / "curves.svg").read_bytes() == b"<svg/>"

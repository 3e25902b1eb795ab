"""The cost part of a report: what each stage takes, and how many fields until a method pays."""

from collections.abc import Sequence

from evaluation.experts.costs import Cost, find_crossings, total_hours
from evaluation.report.bars import draw_break_even
from evaluation.report.pages import Section
from evaluation.report.tables import Cell, Table

BEYOND = 1.6  # the axis ends this far beyond the last break-even
FIELDS = 4000  # a screen of the paper's size, when nothing crosses


def cost_section(costs: Sequence[Cost]) -> Section:
    """Report the costs of methods.

    Args:
        costs: All stages of all methods.
    """
    totals = total_hours(costs)
    crossings = [where for _, _, where in find_crossings(totals)]
    figure = draw_break_even(totals, fields=BEYOND * max(crossings) if crossings else FIELDS)
    lead = "Human minutes count the attention of a person, machine seconds the clock of one computer."
    return Section("costs", "Costs", lead, (stage_table(costs), total_table(costs), figure, crossing_table(costs)))


def stage_table(costs: Sequence[Cost]) -> Table:
    """List what each stage takes."""
    rows = tuple((cost.method, cost.stage, cost.scope, cost.human_min, cost.machine_s) for cost in costs)
    heads = ("method", "stage", "paid per", "human (min)", "machine (s)")
    return Table("costs", "What each stage takes", heads, rows, styles=dict.fromkeys(heads[3:], "amount"), grouped=True)


def total_table(costs: Sequence[Cost]) -> Table:
    """Add the stages up, person and computer apart."""
    human, machine = total_hours(costs, count="human"), total_hours(costs, count="machine")
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (method, *human[method], *machine[method], human[method][0] + 1000 * human[method][1]) for method in human
    )
    heads = (
        "method",
        "human once (h)",
        "human per field (h)",
        "machine once (h)",
        "machine per field (h)",
        "human, 1000 fields (h)",
    )
    return Table("cost_totals", "What each method takes", heads, rows, styles=dict.fromkeys(heads[1:], "amount"))


def crossing_table(costs: Sequence[Cost]) -> Table:
    """List from how many fields a method is cheaper than another, by person, by computer, and by both."""
    rows: list[tuple[Cell, ...]] = []
    for count, name in (("human", "human hours"), ("machine", "machine hours"), ("both", "both, one after the other")):
        totals = total_hours(costs, count=count)  # type: ignore[arg-type]
        rows += [(name, later, earlier, where) for later, earlier, where in find_crossings(totals)]
    heads = ("counting", "method", "cheaper than", "from this many fields")
    note = "" if rows else "No method is dearer to set up and cheaper per field than another: nothing crosses."
    return Table(
        "break_even",
        "When a method pays",
        heads,
        tuple(rows),
        note,
        styles={"from this many fields": "amount"},
        grouped=True,
    )

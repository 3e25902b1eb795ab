"""The page of intervals and verdicts is what its tables say."""

import shutil
import sys

import pytest

from benchmarks import coverage
from benchmarks.coverage_page import Cell, CostRow, report, report_costs, write_cells, write_costs, write_page
from benchmarks.ratios import Ratio
from tests.docs.pages import ROOT


def test_the_committed_page_is_what_its_tables_say(tmp_path, monkeypatch, capsys):
    (tmp_path / "tables").mkdir()
    for name in ("coverage.csv", "coverage_costs.csv"):
        shutil.copy(ROOT / "docs/tables" / name, tmp_path / "tables")
    monkeypatch.setattr(sys, "argv", ["coverage", "--again", "--page", str(tmp_path / "coverage.md")])
    coverage.main()
    assert (tmp_path / "coverage.md").read_text() == (ROOT / "docs/coverage.md").read_text()
    assert capsys.readouterr().out.startswith("# Intervals and verdicts")


def test_the_worst_share_of_each_kind_is_on_the_page():
    cells = [
        Cell("intervals", "a", 3, 0.7, 0.96, 9),
        Cell("intervals", "b", 3, 0.8, 0.91, 9),
        Cell("verdicts", "a", 3, 0.2, 0.01, 9),
        Cell("verdicts", "b", 3, 0.3, 0.02, 9),
        Cell("ratings", "delta", 12, 0.5, 0.94, 9),
    ]
    page = report(cells, "stem")
    assert "\n9 simulations per cell." in page
    assert "[the table of all](tables/stem.csv)" in page
    assert "| Intervals of 2 scores hold the truth, least | 0.910 (0.700) |\n" in page
    assert "| 2 pairs of equal methods called different, most | 0.020 (0.300) |\n" in page
    assert "| delta | 0.940 (0.500) |\n" in page


def test_costs_of_two_runs_stand_side_by_side(tmp_path):
    before = {"a": Ratio("a", (2.0, 4.0), "ms", "cpu")}
    now = {"a": Ratio("a", 1.5, "ms", "cpu"), "b": Ratio("b", 3.0, "s", "cpu", aim="under 2 s", met=False)}
    write_costs(tmp_path / "tables/page_costs.csv", before, now)
    write_cells(tmp_path / "tables/page.csv", [Cell("verdicts", "a", 3, 0.2, 0.0, 9)])
    write_page(tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    assert "Of 1 costs that were measured before, 1 fell; now is\n0.500 to 0.500 times before" in page
    assert "| b |  | 3.00 s | under 2 s: **missed** |\n" in page
    assert "| a |" not in page


def test_an_aim_beside_another_way_names_it():
    row = CostRow("a", "ms", 1.0, 2.0, "a peer", 3.0, "less than that", True)
    assert "| a | 2.00 ms | 1.00 ms | less than that (a peer: 3.00 ms): met |" in report_costs([row], "t.csv")


def test_a_page_that_is_not_named_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["coverage", "--again"])
    with pytest.raises(SystemExit, match=r"^2$"):
        coverage.main()
    assert capsys.readouterr().err.endswith("error: --speed and --again need --page.\n")

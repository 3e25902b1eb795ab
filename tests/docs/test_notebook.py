"""The notebook: what is committed is what its file makes, was run, and runs from top to bottom."""

import re

import nbformat
import pytest

from docs.notebook import Sizes, build_notebook, run_notebook
from tests.docs.pages import ROOT

PATH = ROOT / "docs" / "notebook.ipynb"


def printed(notebook):
    """Join what the cells printed or returned as text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)


def count_pictures(notebook):
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)


def test_the_notebook_is_what_its_file_makes_and_was_run():
    """Make it anew: python -m docs.notebook docs/notebook.ipynb."""
    shown = nbformat.read(PATH, as_version=4)
    nbformat.validate(shown)
    assert [cell.source for cell in shown.cells] == [cell.source for cell in build_notebook().cells]
    code = [cell for cell in shown.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]
    assert count_pictures(shown) == 3
    assert "Mean IoU" in printed(shown)
    assert not re.search(r"Traceback|/home/|/tmp/|/root/", PATH.read_text())
    assert PATH.stat().st_size < 250_000


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:jupyter_client", "ignore::DeprecationWarning:zmq")
def test_the_notebook_runs_from_top_to_bottom(tmp_path):
    notebook = run_notebook(build_notebook(Sizes(fields=10, rows=64, columns=96, epochs=1)), tmp_path)
    assert count_pictures(notebook) == 3
    assert "Mean IoU" in printed(notebook)
    assert (tmp_path / "run/model.pt").is_file()
    assert (tmp_path / "evaluation/report.html").is_file()

"""The notebook of docs/: its cells, its making and its running.

    python -m docs.notebook docs/notebook.ipynb

The notebook is made from this file and run from top to bottom, so that what it shows is what its cells gave.
"""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import nbformat
from nbclient import NotebookClient

from noisylabels.data.atomic import write_text


class Sizes(NamedTuple):
    """What decides how long the notebook takes: fields simulated, their size in pixels, epochs of training."""

    fields: int = 28
    rows: int = 192
    columns: int = 256
    epochs: int = 16


TITLE = """\
# From a label map to a verdict

For seeing the whole way once, in a few minutes of one core: simulate a screen, look at it, spoil its labels, train a
network on the spoilt labels, and ask whether it came nearer to the truth than its labels. Every step is also a command;
here they are mixed with Python, as in a notebook of your own."""

CELLS = (
    ("code", "import matplotlib.pyplot as plt\nimport pandas as pd\n\nimport evaluation\nimport noisylabels as nl"),
    ("sizes", "FIELDS, ROWS, COLUMNS, EPOCHS = {sizes}"),
    (
        "markdown",
        "## 1. Simulate\n\nTwo channels, *phagophores* and *autolysosomes*, and a truth that is known to the pixel. "
        "Fields go to training, validation and test by well.",
    ),
    (
        "code",
        "!noisylabels simulate screen --fields {{FIELDS}} --seed 1 --rows {{ROWS}} --columns {{COLUMNS}} "
        "--fractions 0.65,0.1,0.25 2>&1 | tail -n 1",
    ),
    ("markdown", "## 2. Look"),
    (
        "code",
        """\
screen = nl.open_dataset("screen")
field = screen.ids("test")[0]
image, truth = screen.image(field), screen.label_map("truth", field)


def show(**pictures):
    \"\"\"Show label maps, (row, column), or one channel beside each other.\"\"\"
    figure, panels = plt.subplots(1, len(pictures), figsize=(10, 3), dpi=72, layout="constrained")
    for axes, (title, picture) in zip(panels, pictures.items()):
        classes = dict(cmap="viridis", vmin=0, vmax=2, interpolation="nearest")
        axes.imshow(picture, **(classes if picture.dtype == "uint8" else dict(cmap="gray")))
        axes.set(title=title, xticks=[], yticks=[])


show(**dict(zip(screen.channel_names, image)), truth=truth)
screen""",
    ),
    ("code", "instances, classes = nl.label_events(truth)\nnl.measure_events(instances, classes).to_pandas().head()"),
    (
        "markdown",
        "## 3. Spoil the labels\n\nThree kinds of error at once: three events in ten are missed, three in ten of the "
        "rest have the wrong class, and outlines wander. Every error is logged.",
    ),
    (
        "code",
        """\
%%writefile noise.yaml
missed: {{rate: 0.3}}
misclassified: {{rate: 0.3}}
boundary: {{rate: 1.0, shift_px: 0.0, sd_px: 2.0}}""",
    ),
    ("code", "!noisylabels corrupt screen --noise noise.yaml --name noisy 2>&1 | tail -n 1"),
    (
        "code",
        """\
log = pd.read_parquet("screen/labels/noisy/errors.parquet")
show(truth=truth, noisy=screen.label_map("noisy", field))
log.groupby("kind").size().rename("errors").to_frame()""",
    ),
    (
        "markdown",
        "## 4. Train on them\n\nThe network sees the spoilt labels only; its best epoch is chosen on spoilt labels "
        "too. `run` holds the weights and all settings.",
    ),
    (
        "code",
        "!noisylabels train cdl --dataset_dir screen --label_name noisy --output_dir run --num_epochs {{EPOCHS}} "
        '--val_interval 4 --patch_size "[64,64]" --crops_per_field 4 2>&1 | tail -n 3',
    ),
    (
        "code",
        """\
model = nl.load_model("run")
show(noisy=screen.label_map("noisy", field), network=nl.predict(image, model), truth=truth)""",
    ),
    (
        "markdown",
        "## 5. Compare\n\nOn the test fields, against the truth, which nothing before this step has seen. The interval "
        "is over fields; the table's names are MATLAB's.",
    ),
    (
        "code",
        """\
!noisylabels predict cdl --dataset_dir screen --split test --ckpt_path run/model.pt > predict.log 2>&1
study = evaluation.evaluate_methods(nl.open_dataset("screen"), ["noisy", "cdl"], references=["truth"], split="test")
scores = evaluation.tabulate_data_set(study.table)
scores[["method", "MeanIoU", "WeightedIoU", "MeanBFScore"]].round(3)""",
    ),
    ("code", "!noisylabels evaluate screen --split test --methods noisy,cdl --out evaluation 2>&1 | tail -n 6"),
    (
        "markdown",
        "`evaluation/report.html` has the errors by kind, the pictures and the intervals. From here: your own images "
        "in [own-data.md](own-data.md), the words in [glossary.md](glossary.md), what was measured in "
        "[results.md](results.md).",
    ),
)
"""Kind of cell and its text; {sizes} is filled in, doubled braces are braces."""


def build_notebook(sizes: Sizes | None = None) -> nbformat.NotebookNode:
    """Build the notebook, not yet run.

    Args:
        sizes: What decides how long it takes; the sizes of the page when None.

    Returns:
        The notebook, of the same cells and ids at every call.
    """
    filled = ", ".join(map(str, sizes or Sizes()))
    cells = [nbformat.v4.new_markdown_cell(TITLE)]
    for kind, text in CELLS:
        make = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
        cells.append(make(text.format(sizes=filled) if kind != "markdown" else text))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def run_notebook(notebook: nbformat.NotebookNode, folder: str | Path) -> nbformat.NotebookNode:
    """Run a notebook from top to bottom, as a reader would, with the command beside this Python.

    Args:
        notebook: The notebook. Gets the outputs of its cells.
        folder: Working folder, where the screen, the run and the report are left.

    Returns:
        The same notebook.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell ends with an error.
    """
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": beside, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    client = NotebookClient(notebook, timeout=1800, resources={"metadata": {"path": str(folder)}}, record_timing=False)
    client.execute(env=environment)
    return notebook


def main(path: str) -> None:
    """Build the notebook, run it and write it."""
    with TemporaryDirectory() as folder:
        notebook = run_notebook(build_notebook(), folder)
    write_text(Path(path), nbformat.writes(notebook) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

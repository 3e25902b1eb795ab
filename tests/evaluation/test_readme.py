"""Every block of this room's README runs, in order."""

from pathlib import Path

import pytest

import evaluation
from noisylabels.cli import main
from noisylabels.data.events import label_events
from noisylabels.data.images import read_label_map
from noisylabels.data.instances import write_instance_map
from tests.docs.pages import read_blocks, run_blocks
from tests.evaluation.datasets import EMPTY, SHIFTED, TRUTH, make_dataset

README = Path(evaluation.__file__).with_name("README.md").read_text()
BLOCKS = read_blocks(README)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """What the README's commands are given."""
    monkeypatch.chdir(tmp_path)
    maps = {"truth": [EMPTY, TRUTH, TRUTH], "cip": [EMPTY, SHIFTED, SHIFTED], "cdl": [EMPTY, TRUTH, SHIFTED]}
    maps |= {"expert_1": [EMPTY, TRUTH, TRUTH], "expert_2": [EMPTY, SHIFTED, TRUTH], "expert_3": [EMPTY, TRUTH, TRUTH]}
    plate = make_dataset(Path("plate"), maps)
    for path in [*plate.glob("labels/truth/*"), *plate.glob("labels/cdl/*")]:
        write_instance_map(plate / "instances" / path.parent.name / path.name, label_events(read_label_map(path))[0])
    make_dataset(Path("new"), {"cip": [SHIFTED] * 2, "cdl": [TRUTH] * 2})
    scores = [(rater, image, method) for rater in "AB" for image in range(6) for method in ("CIP", "CDL")]
    lines = [f"{rater},f{image},{method},{3 + image % 2 + 3 * (method == 'CDL')}" for rater, image, method in scores]
    Path("ratings.csv").write_text("rater,image,method,score\n" + "\n".join(lines) + "\n")
    Path("costs.csv").write_text("method,stage,scope,human_min,machine_s\nCIP,tuning,once,600,\nCDL,all,once,660,30\n")
    Path("controls.csv").write_text("well,kind\nB02,negative\nB03,positive\n")
    boxes = ["A,P1_B03_f1,phagophore,0,0,2,2", "B,P1_B03_f1,autolysosome,0,6,2,8", "A,P1_B04_f1,phagophore,4,6,5,8"]
    Path("boxes.csv").write_text("expert,field,class,row_min,column_min,row_max,column_max\n" + "\n".join(boxes) + "\n")
    return tmp_path


def test_the_python_of_the_readme_runs():
    blocks = [block for block in BLOCKS if block.language == "python"]
    assert blocks
    run_blocks(blocks, source="evaluation/README.md")


def test_the_commands_of_the_readme_run(folder):
    lines = [line for block in BLOCKS if block.language == "console" for line in block.text.splitlines()]
    assert len(lines) >= 6
    for line in lines:
        program, *words = line.split()
        assert program == "noisylabels"
        with pytest.raises(SystemExit) as stop:
            main([*words, "--gallery", "1"] if words[0] in ("evaluate", "report", "survey") else words)
        assert not stop.value.code, line
    for out in ("evaluated", "rated", "experts", "boxes", "surveyed"):
        assert (folder / out / "report.html").is_file()


def test_the_readme_names_every_command_of_the_room():
    for name in ("evaluate", "report", "survey", "ratings"):
        assert f"noisylabels {name} " in README

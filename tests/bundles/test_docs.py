"""The commands of the bundles' READMEs, run as they stand there, in one process."""

import re
import shlex
from pathlib import Path

import monai.bundle
import pytest
import torch
from fire.parser import DefaultParseValue

from noisylabels.cli import main
from tests.bundles.small_screen import write_screen


def run(words: list[str]) -> None:
    """What `python -m monai.bundle` does with its words."""
    verb, *rest = words
    given = {}
    if rest and not rest[0].startswith("--"):
        given["net_id"] = rest.pop(0)
    given |= {
        key.removeprefix("--"): DefaultParseValue(value) for key, value in zip(rest[::2], rest[1::2], strict=True)
    }
    getattr(monai.bundle, verb)(**given)


def test_every_command_of_the_readme_runs_as_written(bundle: Path, elsewhere: Path) -> None:
    (elsewhere / "B").symlink_to(bundle)
    screen = write_screen(elsewhere / "D")
    (screen / "labels/corrected").symlink_to(screen / "labels/cip")
    blocks = re.findall(r"```bash\n(.*?)```", (bundle / "docs/README.md").read_text(), re.DOTALL)
    lines = [shlex.split(line) for block in blocks for line in block.splitlines()]
    assert len(lines) == 11
    for words in lines:
        if words[0] == "torchrun":  # its own test, with two processes: test_scale.py
            continue
        if "B/configs/inference_standalone.yaml" in words:  # its own test, where nothing of ours is: test_standalone.py
            continue
        if words[0] == "noisylabels":
            with pytest.raises(SystemExit) as exit_:
                main(words[1:])
            assert not exit_.value.code
        elif words[3:4] != ["run"] or "train.yaml" not in words[5] or "--num_epochs" in words or "R" in words:
            run(words[3:])
        else:  # the plain training would leave its checkpoints in the bundle
            run([*words[3:], "--num_epochs", "1", "--ckpt_dir", "T", "--output_dir", "T"])
    assert {path.name for path in (elsewhere / "R").iterdir()} >= {"model.pt", "last.pt", "model.ts", "model.onnx"}
    assert torch.jit.load(elsewhere / "R/model.ts")(torch.zeros(1, 2, 8, 8)).shape == (1, 3, 8, 8)
    assert (elsewhere / "S/metrics.csv").is_file()
    assert len(list((screen / "labels" / bundle.name).glob("*.tif"))) == 10

"""A bundle predicts with MONAI alone, in a process that can import nothing of this project."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from PIL import Image

from noisylabels.data.images import read_image, read_label_map
from noisylabels.data.labels import ROSELLA
from noisylabels.learning import launcher
from tests.bundles.conftest import BUNDLES
from tests.bundles.small_screen import write_screen

# What a stranger runs, where noisylabels and evaluation are not installed.
STRANGER = """
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("noisylabels", "evaluation", "tests"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Nothing())
import json, warnings
warnings.simplefilter("ignore")
import torch
torch.set_num_threads(1)
import monai.bundle
for settings in json.loads(sys.argv[1]):
    monai.bundle.run(**settings)
assert not [name for name in sys.modules if name.partition(".")[0] in ("noisylabels", "evaluation")]
"""


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Weights of the default network whose batch norms are no identity, for 2 and for 3 channels."""
    for n_channels in (2, 3):
        parser = ConfigParser()
        parser.read_config(BUNDLES / "cdl/configs/inference_standalone.yaml")
        parser["n_channels"] = n_channels
        torch.manual_seed(n_channels)
        network = parser.get_parsed_content("network_def")
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.5, 2)
        torch.save(network.state_dict(), tmp_path / f"model{n_channels}.pt")
        torch.jit.save(torch.jit.script(network.eval()), tmp_path / f"model{n_channels}.ts")
    return tmp_path


def screen_of_pngs(root: Path) -> Path:
    """A dataset folder of 3 channels whose images are colour PNG files."""
    screen = write_screen(root, splits=("test", "test"), size=(41, 57), n_channels=3)
    lists = json.loads((screen / "datalist.json").read_text())
    for entry in lists["test"]:
        image = read_image(screen / entry["image"])
        (screen / entry["image"]).unlink()
        entry["image"] = entry["image"].replace(".ome.tif", ".png")
        Image.fromarray((np.moveaxis(image, 0, -1) // 4).astype(np.uint8)).save(screen / entry["image"])
    (screen / "datalist.json").write_text(json.dumps(lists))
    return screen


def test_monai_alone_predicts_what_the_program_predicts(weights: Path, tmp_path: Path) -> None:
    bundle = str(BUNDLES / "cdl")
    screens = {"PILReader": (screen_of_pngs(tmp_path / "png"), 3)}
    if importlib.util.find_spec("itk"):
        screens["ITKReader"] = (write_screen(tmp_path / "tif", splits=("test", "test"), size=(41, 57)), 2)
    runs = [
        {
            "config_file": f"{bundle}/configs/inference_standalone.yaml",
            "bundle_root": bundle,
            "dataset_dir": str(screen),
            "output_dir": str(tmp_path / reader),
            "ckpt_path": str(weights / f"model{n_channels}.pt"),
            "reader": reader,
            "n_channels": n_channels,
        }
        for reader, (screen, n_channels) in screens.items()
    ]
    exported = {"network": f"$torch.jit.load('{weights / 'model3.ts'}', @device)", "handlers": []}
    runs.append(runs[0] | exported | {"output_dir": str(tmp_path / "exported"), "ckpt_path": "nowhere"})
    words = [sys.executable, "-c", STRANGER, json.dumps(runs)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    for reader, (screen, n_channels) in screens.items():
        given = {"ckpt_path": str(weights / f"model{n_channels}.pt"), "n_channels": n_channels}
        launcher.run(launcher.plan_prediction("cdl", (), {"dataset_dir": str(screen), "split": "test", **given}))
        written = sorted((tmp_path / reader).iterdir())
        assert [path.name.partition(".")[0] for path in written] == ["f0", "f1"]
        for path in written:
            ours = read_label_map(screen / "labels/cdl" / f"{path.name.partition('.')[0]}.tif")
            theirs = np.asarray(Image.open(path))
            assert theirs.shape == (41, 57)
            assert len(np.unique(ours)) == len(ROSELLA.names)
            assert (ours == theirs).mean() > 0.999  # folded batch norms round otherwise
    for path in (tmp_path / "PILReader").iterdir():  # the README's way to put an exported network in its place
        same = np.asarray(Image.open(tmp_path / "exported" / path.name)) == np.asarray(Image.open(path))
        assert same.mean() > 0.999


def test_it_is_inference_but_for_what_the_package_adds(bundle: Path) -> None:
    own, alone = (
        ConfigParser.load_config_file(str(bundle / f"configs/{name}.yaml"))
        for name in ("inference", "inference_standalone")
    )
    assert "noisylabels." not in (bundle / "configs/inference_standalone.yaml").read_text()
    network = own["network_def"] | {"out_channels": "@n_classes"}
    assert alone["network_def"] == network
    for key in ("NormalizeIntensityd", "DivisiblePadd"):
        steps = [
            next(step for step in config["preprocessing"]["transforms"] if step["_target_"] == key)
            for config in (own, alone)
        ]
        assert steps[0] == steps[1]
    about = json.loads((bundle / "configs/metadata.json").read_text())["network_data_format"]
    assert alone["n_channels"] == about["inputs"]["image"]["num_channels"]
    assert alone["n_classes"] == about["outputs"]["pred"]["num_channels"]

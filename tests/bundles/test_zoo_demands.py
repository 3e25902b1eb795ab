"""What the model zoo asks of a bundle, checked as its CI does."""

import json
import os
import re
import shutil
import tomllib
from importlib import metadata
from pathlib import Path

import monai.bundle
import numpy as np
import onnxruntime
import pytest
import torch
from monai.bundle import ConfigParser, ConfigWorkflow
from packaging.version import Version

from noisylabels.data.labels import ROSELLA
from noisylabels.learning.models import load_model
from tests.bundles.conftest import BUNDLES
from tests.bundles.small_screen import write_screen

SCHEMA = Path(__file__).parents[3] / "shared" / "schema" / "meta_schema_20240725.json"
SIZES = [(8, 8), (256, 344), (512, 680)]


def about(bundle: Path) -> dict:
    return json.loads((bundle / "configs" / "metadata.json").read_text())


def test_the_required_files_and_keys_are_there(bundle: Path) -> None:
    for name in ("LICENSE", "docs/README.md", "configs/metadata.json", "configs/inference.yaml", "configs/train.yaml"):
        assert (bundle / name).is_file(), name
    assert about(bundle)["version"] in about(bundle)["changelog"]


def test_nothing_in_a_bundle_is_code_or_names_a_persons_folder(bundle: Path) -> None:
    tracked = [
        path for path in bundle.rglob("*") if path.is_file() and path.suffix != ".pt" and "eval" not in path.parts
    ]
    assert not [path for path in tracked if path.suffix == ".py"]
    for path in tracked:
        assert not re.search(r"/home/|/Users/|/root/|/work/|[A-Z]:\\", path.read_text()), path


def test_weights_come_along_small_with_measured_scores_and_a_card(bundle: Path) -> None:
    weights = bundle / "models/model.pt"
    assert weights.stat().st_size < 4_000_000
    found = load_model(bundle.name)
    assert (found.weights, found.classes, found.channel_names) == (weights, ROSELLA, ("DsRed", "pHluorin"))
    scores = about(bundle)["eval_metrics"]
    assert scores.keys() >= {"MeanIoU", "IoU: phagophore", "IoU: autolysosome"}
    card = (bundle / "docs/README.md").read_text()
    assert "| MeanIoU | " in card
    assert f"{scores['MeanIoU']:.3f} [" in card
    assert all(word in card for word in ("**Data and licence.**", "**Scores**", "**Not for.**"))
    assert about(bundle)["supported_apps"].keys() >= {"onnxruntime", "bioimageio.core"}


def test_weights_for_nuclei_come_along_by_name(tmp_path: Path) -> None:
    found = load_model("nuclei")
    assert (found.classes.names, found.channel_names) == (("background", "nucleus"), ("nuclei",))
    assert found.weights.stat().st_size < 4_000_000
    rows, columns = np.mgrid[:96, :128]
    disc = (rows - 40) ** 2 + (columns - 60) ** 2 < 12**2  # as large as a nucleus at 20x
    image = np.random.default_rng(0).poisson(200 + 1500 * disc).astype(np.uint16)[None]
    label_map = found.predict(image)
    assert (label_map[disc] == 1).mean() > 0.9
    assert (label_map[~disc] == 1).mean() < 0.1
    assert "CC0" in (found.weights.parent / "README.md").read_text()


def test_every_package_is_pinned_to_a_version_that_was_tested(bundle: Path) -> None:
    """A fresh machine may get a later one than the card names, since the day the card was written; never an earlier."""
    card = about(bundle)
    pinned = {"monai": card["monai_version"], "numpy": card["numpy_version"], **card["required_packages_version"]}
    alone = {"itk": pinned.pop("itk")}  # inference_standalone.yaml alone needs it: 1.5 GB, in our extra of that name
    extras = tomllib.loads((BUNDLES.parent / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extras["standalone"] == [f"{name}>={version.rpartition('.')[0]}" for name, version in alone.items()]
    for package, version in pinned.items():
        assert Version(metadata.version(package)) >= Version(version), package
    assert Version(metadata.version("torch")).public == card["pytorch_version"]  # the Makefile pins it


def test_what_the_configs_import_is_declared(bundle: Path) -> None:
    declared = set(about(bundle)["required_packages_version"])
    # fire parses monai.bundle's command line, PyYAML reads the configs, ignite drives the engines, tensorboard and
    # tqdm are what its handlers need, tifffile is for our readers, itk for those of inference_standalone.yaml.
    assert {"fire", "PyYAML", "pytorch-ignite", "tensorboard", "tqdm", "tifffile", "itk"} <= declared
    # The zoo installs all of them from a registry, which does not have this package.
    assert "noisylabels" not in declared
    assert "noisylabels" in about(bundle)["packages_from_source"]


def test_the_metadata_follow_the_official_schema_offline(bundle: Path, tmp_path: Path) -> None:
    if not SCHEMA.is_file():
        pytest.skip("left out: verify_metadata needs ../shared/schema beside the checkout")
    schema = shutil.copy(SCHEMA, tmp_path / "schema.json")
    monai.bundle.verify_metadata(meta_file=str(bundle / "configs/metadata.json"), filepath=str(schema))
    broken = {key: value for key, value in about(bundle).items() if key != "network_data_format"}
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    with pytest.raises(ValueError, match="network_data_format"):
        monai.bundle.verify_metadata(meta_file=str(tmp_path / "broken.json"), filepath=str(schema))


@pytest.mark.parametrize(
    ("files", "kind"),
    [(["train"], "train"), (["train", "evaluate"], "train"), (["inference"], "infer"), (["train", "paper"], "train")],
    ids=["train", "train and evaluate", "inference", "paper"],
)
def test_every_workflow_property_is_found(
    bundle: Path, screen: Path, elsewhere: Path, files: list[str], kind: str
) -> None:
    workflow = ConfigWorkflow(
        config_file=[str(bundle / f"configs/{name}.yaml") for name in files],
        workflow_type=kind,
        logging_file=False,
        bundle_root=str(bundle),
        dataset_dir=str(screen),
        output_dir=str(elsewhere / "out"),
        **({"ckpt_dir": str(elsewhere), "label_name": "cip"} if kind == "train" else {}),
    )
    workflow.initialize()
    assert workflow.check_properties() == []


@pytest.mark.parametrize("preset", [[], ["paper"]], ids=["default", "paper"])
@pytest.mark.parametrize("n", [1, 5])
def test_the_network_does_what_the_metadata_say(bundle: Path, preset: list[str], n: int) -> None:
    files = [str(bundle / f"configs/{name}.yaml") for name in ("inference", *preset)]
    monai.bundle.verify_net_in_out(
        net_id="network_def",
        meta_file=str(bundle / "configs/metadata.json"),
        config_file=files,
        bundle_root=str(bundle),
        device="cpu",
        n=n,
    )


def test_exported_networks_predict_what_pytorch_predicts(tmp_path: Path, elsewhere: Path) -> None:
    bundle = BUNDLES / "cdl"  # MDL has the same network: test_twins.py
    parser = ConfigParser()
    parser.read_config(bundle / "configs/inference.yaml")
    parser["bundle_root"] = str(bundle)
    torch.manual_seed(0)
    network = parser.get_parsed_content("network_def").eval()
    for module in network.modules():  # running means of 0 and 1 would hide a wrong batch norm
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
    torch.save(network.state_dict(), tmp_path / "model.pt")
    given = {
        "net_id": "network_def",
        "ckpt_file": str(tmp_path / "model.pt"),
        "meta_file": str(bundle / "configs/metadata.json"),
        "config_file": str(bundle / "configs/inference.yaml"),
        "bundle_root": str(bundle),
    }
    monai.bundle.ckpt_export(filepath=str(tmp_path / "model.ts"), **given)
    axes = {0: "batch", 2: "x", 3: "y"}
    names = {"input_names": ["image"], "output_names": ["pred"], "dynamic_axes": {"image": axes, "pred": axes}}
    monai.bundle.onnx_export(
        filepath=str(tmp_path / "model.onnx"), input_shape=[2, 2, 64, 80], converter_kwargs=names, **given
    )
    script = torch.jit.load(tmp_path / "model.ts")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    for size in SIZES:
        image = torch.randn(1, 2, *size, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            expected = network(image)
            assert torch.equal(script(image), expected)
        (onnx,) = session.run(None, {"image": image.numpy()})
        np.testing.assert_allclose(onnx, expected.numpy(), atol=1e-5)


def test_the_zoos_own_unit_test_passes(bundle: Path, tmp_path: Path, elsewhere: Path) -> None:
    """Train, evaluate and infer as the zoo's test of a bundle does; the sides are no multiples of 8."""
    screen = write_screen(tmp_path / "screen")
    shutil.copytree(screen / "labels/cip", screen / "labels/corrected")
    common = {"bundle_root": str(bundle), "dataset_dir": str(screen), "logging_file": False}
    runs = {"ckpt_dir": str(tmp_path), "output_dir": str(tmp_path / "eval"), "num_epochs": 1}
    train, evaluate = str(bundle / "configs/train.yaml"), str(bundle / "configs/evaluate.yaml")
    inference = str(bundle / "configs/inference.yaml")
    check_workflow(ConfigWorkflow(config_file=train, workflow_type="train", **common, **runs))
    check_workflow(ConfigWorkflow(config_file=[train, evaluate], workflow_type="train", **common, **runs))
    weights = {"ckpt_path": str(tmp_path / "model.pt")}
    check_workflow(ConfigWorkflow(config_file=inference, workflow_type="infer", **common, **weights))
    assert {path.name for path in (tmp_path / "eval").iterdir()} >= {"metrics.json", "metrics.csv"}
    assert len(list((screen / "labels" / bundle.name).glob("*.tif"))) == 10
    assert (screen / "labels" / bundle.name / "events.csv").is_file()
    assert not [path for path in elsewhere.iterdir() if os.fspath(path)], "the working directory must stay empty"


def check_workflow(workflow: ConfigWorkflow) -> None:
    workflow.initialize()
    assert workflow.check_properties() == []
    workflow.run()
    workflow.finalize()

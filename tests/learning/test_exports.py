import gc
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from noisylabels.data.errors import InputError
from noisylabels.learning.exports import describe_model, export_model, whole_network
from noisylabels.learning.formats import ENDINGS, example_image
from noisylabels.learning.models import Model, load_model, plan_model
from noisylabels.learning.records import Record, write_record
from tests.running import run_command

pytestmark = [  # bioimageio.spec leaves the files of a package open
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
CLASSES = ("background", "nucleus", "dividing")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A small network of random weights whose batch norms have seen something."""
    from monai.networks.nets import UNet

    folder = tmp_path_factory.mktemp("run")
    told = {"spatial_dims": 2, "in_channels": 2, "out_channels": 3, "channels": [4, 4, 8, 8], "strides": [1, 2, 2]}
    told |= {"num_res_units": 2, "norm": "BATCH"}
    torch.manual_seed(3)
    network = UNet(**told).train()
    with torch.no_grad():
        network(torch.randn(4, 2, 32, 32))
    torch.save(network.state_dict(), folder / "model.pt")
    record = Record("cdl", {"_target_": "UNet", **told}, 2, CLASSES, ("DsRed", "pHluorin"))
    write_record(record, folder)
    return load_model(folder)


@pytest.fixture(scope="module")
def exported(model: Model, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("exported")
    made = {to: export_model(model, folder / f"m{ending}", to=to) for to, ending in ENDINGS.items()}
    gc.collect()  # here, where what it warns of is expected
    return made


IMAGES = [np.zeros((2, 16, 24), np.float32), example_image(2)[0], example_image(2, 45, 67)[0]]


@pytest.mark.parametrize("image", IMAGES, ids=["empty", "multiple of 8", "odd"])
def test_every_engine_gives_the_label_map_of_the_bundle(model: Model, exported: dict[str, Path], image) -> None:
    import onnxruntime
    import openvino

    expected = model.predict(image)
    assert len(np.unique(expected)) > 1
    session = onnxruntime.InferenceSession(exported["onnx"], providers=["CPUExecutionProvider"])
    (by_onnx,) = session.run(None, {"image": image[None]})
    by_script = torch.jit.load(exported["torchscript"])(torch.from_numpy(image[None])).detach().numpy()
    compiled = openvino.Core().compile_model(exported["openvino"], "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for answer in (by_onnx, by_script, compiled(image[None])[0]):
        np.testing.assert_array_equal(answer[0].argmax(0), expected)
        np.testing.assert_allclose(answer[0], model.probabilities(image), atol=1e-5)


def test_the_package_passes_bioimageios_own_test_and_says_the_classes(model: Model, exported: dict[str, Path]) -> None:
    from bioimageio.core import test_model

    for weights in ("torchscript", "onnx"):
        summary = test_model(exported["bioimageio"], weight_format=weights)
        assert summary.status == "passed", summary.format()
    gc.collect()
    with zipfile.ZipFile(exported["bioimageio"]) as package:
        text = package.read("rdf.yaml").decode()
        images = np.load(package.open("test_image.npy")), np.load(package.open("test_probabilities.npy"))
    assert "nucleus" in text
    assert "dsred" in text
    np.testing.assert_array_equal(images[1][0].argmax(0), model.predict(images[0][0]))


def test_a_file_tells_its_channels_and_classes_and_no_path_of_the_machine(
    model: Model, exported: dict[str, Path]
) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(exported["onnx"], providers=["CPUExecutionProvider"])
    told = json.loads(session.get_modelmeta().custom_metadata_map["noisylabels"])
    assert told == {"axes": "bcyx", "channels": ["DsRed", "pHluorin"], "classes": list(CLASSES)}
    files = {"noisylabels": ""}
    torch.jit.load(exported["torchscript"], _extra_files=files)
    assert json.loads(files["noisylabels"]) == json.loads(describe_model(model)) == told
    assert str(Path(__file__).parents[2]).encode() not in exported["onnx"].read_bytes()


def test_nothing_is_replaced_and_an_ending_must_be_that_of_the_format(model: Model, tmp_path: Path) -> None:
    (tmp_path / "m.ts").write_text("mine")
    message = f"{tmp_path / 'm.ts'} must not exist: nothing is replaced. Name another file, or remove it."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        export_model(model, tmp_path / "m.ts", to="torchscript")
    message = "A file for onnx must end in .onnx, got m.ts. Rename it."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        export_model(model, tmp_path / "m.ts", to="onnx")
    assert (tmp_path / "m.ts").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["m.ts"]


def test_a_file_that_gives_other_label_maps_is_not_handed_over(model: Model, tmp_path: Path, monkeypatch) -> None:
    wrong = whole_network(model)
    with torch.no_grad():
        for part in wrong.network.parameters():
            part.neg_()
    monkeypatch.setattr("noisylabels.learning.exports.whole_network", lambda model: wrong)
    with pytest.raises(InputError, match=r"^m\.ts must give the label map of .*model\.pt, but \d+ pixels of 64 x 80 d"):
        export_model(model, tmp_path / "m.ts", to="torchscript")
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_told_before_the_network_is_loaded(monkeypatch, capsys) -> None:
    monkeypatch.setattr("noisylabels.learning.formats.find_spec", lambda _: None)
    assert run_command("export", "nowhere", "--to", "openvino") == 2
    said = "export must have the package onnx, got an installation without it. pip install 'noisylabels[export]'"
    assert capsys.readouterr().err == f"noisylabels: {said}\n"


def test_the_command_takes_the_folder_of_a_training(model: Model, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from noisylabels.cli import find_app

    assert plan_model(model.weights.parent).classes.names == CLASSES
    words = [str(model.weights.parent), "--to", "torchscript", "--out", str(tmp_path / "n.ts")]
    answer = CliRunner().invoke(find_app("export"), ["export", *words])
    assert answer.exit_code == 0, answer.output
    assert answer.output.startswith(f"{tmp_path / 'n.ts'}: DsRed, pHluorin -> background, nucleus, dividing, ")
    listed = CliRunner().invoke(find_app("export"), ["export", "--help"], env={"COLUMNS": "200"}).output
    assert {"--to", "--out"} <= set(listed.replace("│", " ").split())

"""A trained network from its files, on arrays."""

import json

import numpy as np
import pytest
import torch

from noisylabels.data.errors import InputError
from noisylabels.data.events import label_events
from noisylabels.data.images import read_label_map, write_image
from noisylabels.learning.checkpoints import save
from noisylabels.learning.models import load_model, plan_model, predict
from noisylabels.learning.records import RECORD
from tests.bundles.conftest import BUNDLES
from tests.running import run_command


def write_weights(folder, *, n_channels=2, class_names=("background", "phagophore", "autolysosome")):
    """Random weights of the bundle's network, with the record that a training leaves."""
    from monai.networks.nets import UNet

    torch.manual_seed(0)
    network = UNet(2, n_channels, len(class_names), (16, 16, 32, 64, 128), (1, 2, 2, 2), num_res_units=2, norm="BATCH")
    save(network.state_dict(), folder / "model.pt")
    sizes = {"spatial_dims": 2, "in_channels": n_channels, "out_channels": len(class_names)}
    shape = {"channels": [16, 16, 32, 64, 128], "strides": [1, 2, 2, 2], "num_res_units": 2, "norm": "BATCH"}
    record = {"bundle": "cdl", "network": {"_target_": "UNet", **sizes, **shape}, "n_channels": n_channels}
    record |= {"class_names": list(class_names), "channel_names": ["DNA", "actin"][:n_channels]}
    (folder / RECORD).write_text(json.dumps(record))
    return network.eval()


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 900, (2, 21, 34)).astype(np.uint16)


def test_a_label_map_is_the_argmax_of_the_network_in_row_and_column(tmp_path, image):
    network = write_weights(tmp_path)
    scaled = (image - image.mean((1, 2), keepdims=True)) / image.std((1, 2), keepdims=True)
    padded = np.pad(scaled, ((0, 0), (1, 2), (3, 3)), mode="reflect").astype(np.float32)  # 24 x 40: multiples of 8
    with torch.inference_mode():
        logits = network(torch.from_numpy(padded.swapaxes(1, 2).copy())[None])[0]
    expected = logits.argmax(0).numpy().T[1:22, 3:37]
    found = predict(image, tmp_path)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)
    chances = load_model(tmp_path).probabilities(image)
    np.testing.assert_allclose(chances.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_array_equal(chances.argmax(axis=0), expected)


def test_images_together_are_as_images_alone(tmp_path, image):
    write_weights(tmp_path)
    model = load_model(tmp_path / "model.pt")
    other = image[:, ::-1].copy()
    together = model.predict_batch([image, other])
    for alone, one in zip((image, other), together, strict=True):
        np.testing.assert_array_equal(model.predict(alone), one)


def test_own_channels_and_classes_are_read_from_the_record(tmp_path):
    write_weights(tmp_path, n_channels=1, class_names=("background", "nucleus"))
    plan = plan_model(tmp_path)
    assert (plan.classes.names, plan.channel_names) == (("background", "nucleus"), ("DNA",))
    assert predict(np.zeros((1, 16, 16)), tmp_path).shape == (16, 16)
    assert repr(load_model(tmp_path)) == f"Model('{tmp_path}/model.pt', DNA -> background, nucleus)"


@pytest.mark.parametrize("shape", [(16, 16), (1, 16, 16), (2, 2, 16, 16)])
def test_an_image_of_another_shape_is_one_sentence(tmp_path, shape):
    write_weights(tmp_path)
    with pytest.raises(InputError) as fault:
        predict(np.zeros(shape), tmp_path)
    assert str(fault.value) == (
        f"An image must be (channel, row, column) with 2 channels (DNA, actin), got shape {shape}. "
        "Add the channel axis, or choose channels."
    )


def test_a_folder_without_weights_is_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError) as fault:
        load_model(tmp_path)
    assert str(fault.value) == (
        "A model must be cdl, mdl, nuclei, a model.pt, the folder of a training, or a bundle, "
        f"got {tmp_path}. Name one of them, or train one."
    )


def test_python_drops_the_small_events_that_the_command_line_drops(tmp_path, monkeypatch, capsys):
    folder, least = tmp_path / "run", 20
    folder.mkdir()
    write_weights(folder)
    image = np.random.default_rng(5).integers(0, 900, (2, 48, 64)).astype(np.uint16)
    write_image(tmp_path / "images/f0.ome.tif", image)
    everything = predict(image, folder)
    areas = np.bincount(label_events(everything)[0].ravel())
    assert areas[1:].min() < least <= areas[1:].max()
    record = json.loads((folder / RECORD).read_text())
    (folder / RECORD).write_text(json.dumps(record | {"min_event_px": least}))
    model = load_model(folder)
    found = model.predict(image)
    assert model.min_event_px == least
    assert 0 < (found != everything).sum() == (everything > 0).sum() - (found > 0).sum()
    np.testing.assert_array_equal(model.probabilities(image).argmax(axis=0), found)
    np.testing.assert_array_equal(model.logits(image).argmax(axis=0), everything)
    monkeypatch.setattr("noisylabels.data.progress.LINE_EVERY_S", 0)
    where = ["--output_dir", tmp_path / "labels", "--device", "$torch.device('cpu')"]
    assert run_command("predict", folder, tmp_path / "images", *where) == 0
    assert "fields: 1 of 1\n" in capsys.readouterr().err
    np.testing.assert_array_equal(read_label_map(tmp_path / "labels/f0.tif"), found)


def test_the_bundle_can_be_named(tmp_path, image):
    write_weights(tmp_path)
    assert plan_model(tmp_path, bundle=str(BUNDLES / "mdl")).launch.bundle.name == "mdl"

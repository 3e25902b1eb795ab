import re

import numpy as np
import pytest

from noisylabels.cip import segment_field
from noisylabels.data.errors import InputError
from noisylabels.data.images import read_label_map, write_image
from noisylabels.data.labels import PHASES_TO_ROSELLA, ROSELLA, ROSELLA_PHASES, merge_classes
from noisylabels.screening.methods import Exported, Threshold, loaded, method_of
from noisylabels.screening.networks import normalise
from noisylabels.simulation import SimulationSettings, simulate_field

IMAGE = np.random.default_rng(3).integers(100, 4000, (2, 37, 50)).astype(np.uint16)
OTHER = np.random.default_rng(4).integers(100, 4000, (2, 37, 50)).astype(np.uint16)


def test_an_empty_field_has_no_event_above_a_threshold():
    (label_map,) = Threshold().load()([np.full((2, 20, 30), 100, np.uint16)])
    assert label_map.shape == (20, 30)
    assert not label_map.any()


def test_what_stands_out_is_an_event_unless_it_is_too_small():
    image = np.random.default_rng(0).normal(100, 1, (1, 60, 60))
    image[0, 10:14, 20:24] += 50
    image[0, 40, 40] += 50
    (label_map,) = Threshold(smallest_px=5).load()([image])
    expected = np.zeros((60, 60), bool)
    expected[10:14, 20:24] = True
    assert np.array_equal(label_map == 1, expected)


def test_a_threshold_of_nothing_is_refused():
    with pytest.raises(InputError, match=r"^sigma_px and factor must be above 0, got 0 and 4\.0\."):
        Threshold(sigma_px=0)


def test_unknown_settings_are_named():
    with pytest.raises(InputError, match=r"^Settings of the method threshold must be known to it, got \{'facter': 3\}"):
        method_of({"kind": "threshold", "facter": 3})
    with pytest.raises(InputError, match=r"^Setting redd must be one of those there are"):
        method_of({"kind": "cip", "settings": {"redd": {}}})


def test_the_cip_is_the_one_of_imaging_with_and_without_its_rare_phases():
    image = simulate_field(SimulationSettings.from_dict({"frame": {"rows": 96, "columns": 128}}), seed=1).image
    whole = segment_field(image).label_map
    assert whole.any()
    phases, plain = cip(phases=True), cip()
    assert phases.classes is ROSELLA_PHASES
    assert np.array_equal(phases.load()([image])[0], whole)
    assert plain.classes is ROSELLA
    assert np.array_equal(plain.load()([image])[0], merge_classes(whole, PHASES_TO_ROSELLA))


def cip(settings=None, **more):
    return method_of({"kind": "cip", "settings": settings or {}, **more})


def test_the_pipeline_for_nuclei_is_that_of_dataset_folders():
    from noisylabels.cip.labelling import load_pipeline
    from noisylabels.cip.nuclei import segment_nuclei

    row, column = np.mgrid[:40, :60]
    image = 100 * (np.hypot(row - 20, column - 20) < 11)[None].astype(np.uint16)
    method = cip({"preset": "nuclei"})
    assert (method.name, method.classes.names) == ("nuclei", ("background", "nucleus"))
    (label_map,) = method.load()([image])
    assert label_map.any()
    assert np.array_equal(label_map, segment_nuclei(image, load_pipeline("nuclei")))


def test_stock_pipelines_are_those_of_dataset_folders():
    from noisylabels.cip.stock import STOCK, segment_stock

    image = np.random.default_rng(0).poisson(50, (2, 40, 60)).astype(np.uint16)
    image[0, 10:20, 10:20] += 400
    image[1, 10:20, 30:45] += 900
    method = cip({"preset": "otsu", "class_names": ["nucleus", "spot"]})
    assert (method.name, method.classes.names, method.z) == ("otsu", ("background", "nucleus", "spot"), "max")
    assert (method.needs_counts, cip({"preset": "fixed"}).needs_counts) == (False, True)
    (label_map,) = method.load()([image])
    assert np.unique(label_map).tolist() == [0, 1, 2]
    assert np.array_equal(label_map, segment_stock(image, STOCK["otsu"]))


def test_a_number_of_the_cip_changes_its_fingerprint():
    changed = cip({"red": {"small_threshold": 401.0}})
    assert changed.fingerprint() != cip().fingerprint()
    assert cip({"red": {}}).fingerprint() == cip().fingerprint()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The CDL bundle with random weights, as files, and its network."""
    import torch
    from monai.bundle import ConfigParser

    from noisylabels.learning.launch import find_bundle

    folder = find_bundle("cdl")
    parser = ConfigParser()
    parser.read_config(folder / "configs" / "inference.yaml")
    parser["bundle_root"] = str(folder)
    torch.manual_seed(0)
    network = parser.get_parsed_content("network").cpu()
    path = tmp_path_factory.mktemp("model") / "model.pt"
    torch.save({"model": network.state_dict()}, path)
    return folder, path, network.eval()


def test_a_bundle_labels_plates_as_monai_labels_files(bundle, tmp_path):
    from noisylabels.learning import launcher

    folder, checkpoint, _ = bundle
    for name, image in (("a", IMAGE), ("b", OTHER)):
        write_image(tmp_path / "images" / f"{name}.ome.tif", image)
    overrides = {
        "dataset_dir": str(tmp_path / "images"),
        "ckpt_path": str(checkpoint),
        "output_dir": str(tmp_path / "out"),
        "device": "$torch.device('cpu')",
    }
    launcher.run(launcher.plan_prediction("cdl", (), overrides))
    expected = [read_label_map(tmp_path / "out" / f"{name}.tif") for name in "ab"]
    assert len(np.unique(expected[0])) > 1
    method = method_of({"kind": "bundle", "folder": str(folder), "checkpoint": str(checkpoint)})
    assert (method.name, method.classes) == ("cdl", ROSELLA)
    for given, found in zip(expected, loaded(method, "x")([IMAGE, OTHER]), strict=True):
        assert np.array_equal(given, found)


def test_exported_networks_label_as_the_network_they_come_from(bundle, tmp_path):
    import torch

    _, _, network = bundle
    example = torch.zeros(2, 2, 56, 40)
    with torch.inference_mode():
        padded = [np.pad(normalise(image), [(0, 0), (1, 2), (3, 3)], mode="reflect") for image in (IMAGE, OTHER)]
        logits = network(torch.from_numpy(np.stack(padded).swapaxes(2, 3).copy())).numpy()
    expected = [one.argmax(0).T[1:38, 3:53] for one in logits]
    with pytest.warns(DeprecationWarning, match="torch.jit.trace"):
        torch.jit.trace(network, example).save(tmp_path / "model.ts")
    method = Exported(str(tmp_path / "model.ts"))
    found = method.load()([IMAGE, OTHER])
    assert found[0].shape == IMAGE.shape[1:]
    for given, answer in zip(expected, found, strict=True):
        assert np.array_equal(given, answer)
    message = f"{tmp_path / 'model.ts'} must give 2 classes, got 3. Name them: --set class_names=[...]."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Exported(str(tmp_path / "model.ts"), class_names=("background", "event")).load()([IMAGE])


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # bioimageio.spec leaves the files of a package open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("to", ["torchscript", "onnx", "openvino", "bioimageio"])
def test_what_export_writes_labels_plates_as_the_network_does(bundle, tmp_path, to):
    from noisylabels.learning.exports import export_model
    from noisylabels.learning.formats import ENDINGS
    from noisylabels.learning.models import load_model

    model = load_model(bundle[1])
    model.min_event_px = 9  # as weights bring it
    method = Exported(str(export_model(model, tmp_path / f"model{ENDINGS[to]}", to=to)))
    assert method.classes == ROSELLA
    for image, found in zip((IMAGE, OTHER), method.load()([IMAGE, OTHER]), strict=True):
        assert np.array_equal(found, model.predict(image))
        assert (found != model.logits(image).argmax(axis=0)).any()  # specks were dropped
    named = Exported(method.model, class_names=("background", "event"))
    with pytest.raises(InputError, match=r"phagophore, autolysosome, got background, event\. Leave"):
        _ = named.classes


def test_an_onnx_model_labels_with_its_own_rule(tmp_path):
    """A network of two classes that compares the channels: event where the first is above the second."""
    import onnx
    from onnx import TensorProto, helper

    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 2, "x", "y"])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 2, "x", "y"])
    weight = helper.make_tensor("weight", TensorProto.FLOAT, [2, 2, 1, 1], [0.0, 1.0, 1.0, 0.0])
    node = helper.make_node("Conv", ["image", "weight"], ["logits"])
    graph = helper.make_graph([node], "compare", [image], [logits], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, tmp_path / "model.onnx")
    (label_map,) = Exported(str(tmp_path / "model.onnx"), class_names=("background", "event")).load()([IMAGE])
    scaled = normalise(IMAGE)
    assert np.array_equal(label_map == 1, scaled[0] > scaled[1])


def test_models_that_are_none_are_one_sentence(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"^gone\.ts must be an exported model \(\.ts, \.pt, \.onnx, \.xml, \.zip\), but there"
    ):
        Exported("gone.ts")
    for name in ("torn.ts", "torn.onnx"):
        path = tmp_path / name
        path.write_bytes(b"no model at all")
        with pytest.raises(InputError, match=rf"^{re.escape(str(path))} must be an exported network, but it cannot be"):
            Exported(str(path)).load()
    with pytest.raises(FileNotFoundError, match="must be the folder of a bundle, but there is no such file"):
        method_of({"kind": "bundle", "folder": str(tmp_path), "checkpoint": "x"})

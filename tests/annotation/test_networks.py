"""A real bundle at the desk: predicting, learning on from its weights, and its uncertainty as a queue."""

import json
from dataclasses import replace

import numpy as np
import pytest

from noisylabels.annotation.curve import learn_curve
from noisylabels.annotation.jobs import Jobs
from noisylabels.annotation.networks import Networks
from noisylabels.annotation.retraining import Plan, read_progress, retrain
from noisylabels.annotation.scores import measure_uncertainty
from noisylabels.annotation.session import Session
from noisylabels.annotation.users import owner_of
from noisylabels.data.images import read_image, read_label_map, write_image, write_label_map
from noisylabels.data.quarters import Window
from noisylabels.learning.launch import find_bundle
from tests.annotation.desks import key, make_dataset, make_project, refused
from tests.annotation.test_jobs import wait

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def network():
    """The CDL bundle's own network with random weights."""
    import torch
    from monai.bundle import ConfigParser

    torch.manual_seed(0)
    parser = ConfigParser(ConfigParser.load_config_files([str(find_bundle("cdl") / "configs/inference.yaml")]))
    parser["bundle_root"] = str(find_bundle("cdl"))
    return parser.get_parsed_content("network")


def save(network, path):
    import torch

    torch.save(network.state_dict(), path)
    return path


def chances_of(network, image):
    """A second implementation: normalise, pad to eight, run, cut; MONAI's axes are (x, y)."""
    import torch

    turned = image.astype(np.float64).transpose(0, 2, 1)
    turned = (turned - turned.mean(axis=(1, 2), keepdims=True)) / turned.std(axis=(1, 2), keepdims=True)
    missing = [-size % 8 for size in turned.shape[1:]]
    before = [extra // 2 for extra in missing]
    around = [(0, 0), *((first, extra - first) for first, extra in zip(before, missing, strict=True))]
    with torch.no_grad():
        fed = torch.from_numpy(np.pad(turned, around, mode="reflect")[None]).float()
        chances = torch.softmax(network.eval()(fed), dim=1)[0].numpy()
    x, y = before
    return chances[:, x : x + turned.shape[1], y : y + turned.shape[2]].transpose(0, 2, 1)


def test_uncertainty_is_the_mean_entropy_of_the_networks_own_probabilities(tmp_path, network):
    make_dataset(tmp_path / "dataset", 2, size=(30, 44))
    checkpoint = save(network, tmp_path / "model.pt")
    from noisylabels.annotation.fields import create_project, fields_of
    from noisylabels.annotation.images import read_planes
    from noisylabels.annotation.project import Project

    create_project(tmp_path / "screen.desk", tmp_path / "dataset", quarters=True)
    with Project(tmp_path / "screen.desk") as project:
        scores = measure_uncertainty(project, "cdl", checkpoint)
        fields = fields_of(project)
        assert set(scores) == {field.name for field in fields}
        for field in fields:
            image = read_image(tmp_path / f"dataset/images/{field.case_id}.ome.tif")
            chances = chances_of(network, image)[:, *field.window.slices]
            bits = -(chances * np.log2(chances)).sum(axis=0).mean()
            assert read_planes(project, field).shape[1:] == chances.shape[1:]
            assert scores[field.name] == pytest.approx(bits, abs=1e-4)
        assert len({round(value, 6) for value in scores.values()}) > 4


def test_a_network_that_knows_nothing_is_uncertain_everywhere(tmp_path, network):
    import copy

    blank = copy.deepcopy(network)
    for weight in blank.parameters():
        weight.data.zero_()
    checkpoint = save(blank, tmp_path / "model.pt")
    with make_project(tmp_path, 2) as project:
        assert measure_uncertainty(project, "cdl", checkpoint) == pytest.approx(
            dict.fromkeys(("B01_f1", "B02_f1"), np.log2(3)), abs=1e-5
        )


def test_the_bundle_predicts_in_the_warm_process(tmp_path, network):
    checkpoint = save(network, tmp_path / "model.pt")
    with make_project(tmp_path, 1) as project:
        jobs = Jobs(project, {"cdl": checkpoint})
        session = Session(project, owner_of(project))
        token = session.next()
        root = session.head(token).revision
        job = jobs.predict(session.person, token, "cdl", parent=root, region=Window(2, 3, 10, 16), key=key())
        done = wait(jobs, session, job, patience_s=240)
        assert done.state == "done", jobs.log(session.person, job.job, 0)[0]
        expected = np.zeros((12, 16), np.uint8)
        expected[2:10, 3:16] = chances_of(network, session.planes(token)).argmax(axis=0)[2:10, 3:16]
        assert expected.any()
        assert (session.label_map(token) == expected).mean() > 0.98  # ties of float rounding apart
        assert not session.label_map(token)[:2].any()
        again = wait(jobs, session, jobs.predict(session.person, token, "cdl", parent=done.revision, key=key()))
        assert (
            float(jobs.log(session.person, again.job, 0)[0].split("loaded_s ")[1].split(",")[0]) < 0.1
        )  # still loaded
        jobs.stop()


def test_a_network_learns_on_from_its_weights_and_is_scored_on_fields_it_did_not_see(tmp_path, network):
    checkpoint = save(network, tmp_path / "model.pt")
    make_dataset(tmp_path / "dataset", 3, size=(32, 40))
    for name in ("B01_f1", "B02_f1", "B03_f1"):  # bright pixels are events: something that can be learnt
        image = read_image(tmp_path / f"dataset/images/{name}.ome.tif")
        corrected = (image[0] > 2500).astype(np.uint8) + (image[0] > 3300)
        write_label_map(tmp_path / f"dataset/labels/corrected/{name}.tif", corrected)
    left_out = ["B01_f1", "B03_f1"]
    dataset = str(tmp_path / "dataset")
    plan = Plan("cdl", str(checkpoint), dataset, str(tmp_path / "run"), [left_out], "left-out fields", steps=1)
    found = retrain(plan)
    n_classes = 3
    counts = np.zeros((n_classes, n_classes), np.int64)  # by definition: the weights in use
    for name in left_out:
        image = read_image(tmp_path / f"dataset/images/{name}.ome.tif")
        reference = read_label_map(tmp_path / f"dataset/labels/corrected/{name}.tif")
        predicted = chances_of(network, image).argmax(axis=0)
        np.add.at(counts, (reference, predicted), 1)
    union = counts.sum(0) + counts.sum(1) - np.diag(counts)
    assert found.before == pytest.approx(np.mean((np.diag(counts) / union)[union > 0]), abs=2e-3)
    assert (found.n_fields, found.low, found.decided_by) == (2, None, "left-out fields")
    assert found.before != found.after
    assert (tmp_path / "run/final/model.pt").read_bytes() != checkpoint.read_bytes()
    assert read_progress(tmp_path / "run") == (1.0, "done")
    listed = json.loads((tmp_path / "run/datasets/pass_1/datalist.json").read_text())
    assert not {case["id"] for case in listed["training"]} & set(left_out)


def test_a_learning_curve_is_made_of_real_trainings(tmp_path, network):
    make_dataset(tmp_path / "dataset", 3, size=(32, 40))
    for name in ("B01_f1", "B02_f1", "B03_f1"):
        image = read_image(tmp_path / f"dataset/images/{name}.ome.tif")
        corrected = (image[0] > 2500).astype(np.uint8) + (image[0] > 3300)
        write_label_map(tmp_path / f"dataset/labels/corrected/{name}.tif", corrected)
    weights, dataset = str(save(network, tmp_path / "model.pt")), str(tmp_path / "dataset")
    plan = Plan("cdl", weights, dataset, str(tmp_path / "run"), [["B02_f1"]], "left-out fields", steps=1)
    curve = learn_curve(plan)
    assert [point.n_fields for point in curve.points] == [1, 2]
    assert all(0 < point.score < 1 for point in curve.points)
    assert (curve.stop, curve.next_ten.low) == (False, None)  # one group is no interval
    with refused("A learning curve must have fields of three groups (wells), got 3. Correct more."):
        learn_curve(replace(plan, folds=[["B01_f1", "B02_f1"]]))


def test_a_field_is_predicted_once_as_long_as_its_image_and_the_weights_stay(tmp_path, network, monkeypatch):
    dataset = make_dataset(tmp_path / "dataset", 2, size=(30, 44))
    checkpoint, images = save(network, tmp_path / "model.pt"), sorted((dataset / "images").iterdir())
    networks = Networks()
    model, asked = networks.load("cdl", checkpoint), []
    really = model.predict
    monkeypatch.setattr(model, "predict", lambda image: asked.append(image) or really(image))
    first = networks.predict("cdl", checkpoint, images[0])
    assert np.array_equal(first, really(read_image(images[0])))
    assert networks.predict("cdl", checkpoint, images[0]) is first
    assert len(asked) == 1
    networks.predict("cdl", checkpoint, images[1])
    write_image(images[0], read_image(images[0])[:, ::-1].copy())
    again = networks.predict("cdl", checkpoint, images[0])
    assert len(asked) == 3
    assert np.array_equal(again, really(read_image(images[0])))
    monkeypatch.setattr("noisylabels.annotation.networks.MOST_KEPT", 1)
    write_image(images[1], read_image(images[1])[:, ::-1].copy())
    networks.predict("cdl", checkpoint, images[1])  # pushes the others out
    networks.predict("cdl", checkpoint, images[0])
    assert len(asked) == 5

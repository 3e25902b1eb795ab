"""Programs that load bundles by their own contracts: MONAI's federated client, MONAI Label."""

import shutil
from pathlib import Path
from typing import Any

import monai.bundle
import numpy as np
import pytest
import torch
from ignite.engine import Engine, Events
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from monai.fl.client import MonaiAlgo
from monai.fl.utils.exchange_object import ExchangeObject
from monai.inferers import Inferer
from monai.transforms import Compose, LoadImaged, SaveImaged

from noisylabels.data.images import read_label_map
from noisylabels.learning.checkpoints import load
from noisylabels.learning.datalist import read_fields


@pytest.fixture
def hosted(bundle: Path, screen: Path, tmp_path: Path) -> Path:
    """A copy of the bundle as a host keeps it: its data inside."""
    copy = shutil.copytree(bundle, tmp_path / "apps" / bundle.name, ignore=shutil.ignore_patterns("models", "eval"))
    shutil.copytree(screen, copy / "data")
    shutil.copytree(screen / "labels/cip", copy / "data/labels/corrected")
    return copy


def test_a_federated_client_trains_and_evaluates_round_by_round(hosted: Path, elsewhere: Path) -> None:
    algo = MonaiAlgo(
        bundle_root=str(hosted),
        local_epochs=1,
        config_train_filename="configs/train.yaml",
        config_evaluate_filename=["configs/train.yaml", "configs/evaluate.yaml"],
        send_weight_diff=False,
        # The client starts the config once before it sets bundle_root.
        train_kwargs={"bundle_root": str(hosted)},
        eval_kwargs={"bundle_root": str(hosted)},
    )
    algo.initialize(extra={"CLIENT_NAME": "site-1"})
    weights = {key: value.clone() for key, value in algo.get_weights().weights.items()}
    for round_ in (1, 2):
        weights = {key: value + (round_ - 1) if value.is_floating_point() else value for key, value in weights.items()}
        sent = {key: value.clone().numpy() for key, value in weights.items()}  # the client's own share memory
        seen = begin_of_round(algo)
        algo.train(ExchangeObject(weights=sent))
        assert all((seen[key].numpy() == sent[key]).all() for key in sent), "the round must begin at what was sent"
        weights = {key: value.clone() for key, value in algo.get_weights().weights.items()}
        assert algo.trainer.state.epoch == round_
        assert any((weights[key].numpy() != sent[key]).any() for key in weights), "the round must change the weights"
    score = algo.evaluate(ExchangeObject(weights=weights)).metrics["val_mean_iou"]
    assert 0 <= score <= 1
    algo.finalize()


def begin_of_round(algo: MonaiAlgo) -> dict[str, torch.Tensor]:
    """Give what the first step of the next round finds; it is filled when the round begins."""
    seen: dict[str, torch.Tensor] = {}

    def look(engine: Engine) -> None:
        if not seen:
            seen.update({key: value.clone() for key, value in engine.network.state_dict().items()})

    algo.trainer.add_event_handler(Events.ITERATION_STARTED, look)
    return seen


class LabelInferTask:
    """The calls of MONAI Label's BundleInferTask on a bundle: one config, its parts fetched by key."""

    def __init__(self, path: Path) -> None:
        self.config = ConfigParser()
        self.config.read_config(str(path / "configs/inference.yaml"))
        self.config.config.update({"bundle_root": str(path)})
        metadata = ConfigParser.load_config_file(str(path / "configs/metadata.json"))
        self.image_key, self.input = next(iter(metadata["network_data_format"]["inputs"].items()))
        self.pred_key, output = next(iter(metadata["network_data_format"]["outputs"].items()))
        self.labels = {name: int(index) for index, name in output["channel_def"].items() if name != "background"}
        self.weights = path / "models/model.pt"

    def __call__(self, image: str) -> MetaTensor:
        self.config["device"] = "cpu"
        network = self.config.get_parsed_content("network_def", instantiate=True)
        state = torch.load(self.weights, map_location="cpu", weights_only=True)
        network.load_state_dict(state.get("model", state), strict=True)
        network.eval()
        before: Compose = self.config.get_parsed_content("preprocessing", instantiate=True)
        inferer: Inferer = self.config.get_parsed_content("inferer", instantiate=True)
        after: Compose = self.config.get_parsed_content("postprocessing", instantiate=True)
        assert isinstance(before.transforms[0], LoadImaged)
        data: dict[str, Any] = Compose(before.transforms)({self.image_key: image})
        with torch.no_grad():
            data[self.pred_key] = inferer(data[self.image_key][None], network)[0]
        return Compose([step for step in after.transforms if not isinstance(step, SaveImaged)])(data)[self.pred_key]


def label_train_task(path: Path, datalist: list[dict[str, str]], *, max_epochs: int, **shown: bool) -> None:
    """The call of MONAI Label's BundleTrainTask: the train config with data, device and handlers put in.

    All else that it can set are the `displayable_configs`, which it shows beside its button: `shown`.
    """
    config = ConfigParser()
    config.read_config(str(path / "configs/train.yaml"))
    displayable = config.get_parsed_content("displayable_configs", instantiate=True)
    request = {**displayable, **shown}
    handlers = config.get("train::handlers")
    for handler in handlers:
        if handler.get("_target_") == "CheckpointLoader":
            handler["_disabled_"] = True
    load_path = str(path / "models/model.pt")
    if Path(load_path).exists():
        handlers.insert(
            0, {"_target_": "CheckpointLoader", "load_path": load_path, "load_dict": {"model": "$@network"}}
        )
    overrides = {
        "bundle_root": str(path),
        "train::trainer::max_epochs": max_epochs,
        "train::dataset::data": datalist[:-2],
        "validate::dataset::data": datalist[-2:],
        "device": "cpu",
        "train::handlers": handlers,
        "displayable_configs": {name: request[name] for name in displayable},
    }
    monai.bundle.run(run_id="run", init_id="initialize", config_file=str(path / "configs/train.yaml"), **overrides)


def test_monai_label_trains_on_its_own_list_and_predicts(hosted: Path, elsewhere: Path) -> None:
    fields = read_fields(hosted / "data", label_name="cip", split=(0.85, 0.1, 0.05), seed=0)
    pairs = [{"image": f["image"], "label": f["label"]} for f in (*fields["training"], *fields["validation"])]
    (hosted / "data/datalist.json").unlink()  # MONAI Label has no dataset folder of ours
    label_train_task(hosted, pairs, max_epochs=2)
    assert load(hosted / "models/last.pt")["trainer"]["epoch"] == 2
    task = LabelInferTask(hosted)
    assert task.labels == {"phagophore": 1, "autolysosome": 2}
    predicted = task(pairs[0]["image"])
    assert predicted.shape == (1, 60, 44)  # MONAI's order, padding taken off
    # What our own predict writes for the same weights, in rows and columns.
    monai.bundle.run(
        config_file=str(hosted / "configs/inference.yaml"),
        bundle_root=str(hosted),
        dataset_dir=str(hosted / "data/images"),
        output_dir=str(elsewhere / "out"),
    )
    assert np.array_equal(np.asarray(predicted[0]).T, read_label_map(elsewhere / "out/f0.tif"))


def test_monai_label_goes_on_from_the_trained_model(hosted: Path, elsewhere: Path) -> None:
    fields = read_fields(hosted / "data", label_name="cip", split=(0.85, 0.1, 0.05), seed=0)
    pairs = [{"image": f["image"], "label": f["label"]} for f in (*fields["training"], *fields["validation"])]
    label_train_task(hosted, pairs, max_epochs=1)
    label_train_task(hosted, pairs, max_epochs=2)
    assert load(hosted / "models/last.pt")["trainer"]["epoch"] == 2


def test_monai_label_trains_again_after_new_annotations(
    hosted: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With other data a training starts anew from the weights that the host loads, unless the host says otherwise."""
    fields = read_fields(hosted / "data", label_name="cip", split=(0.85, 0.1, 0.05), seed=0)
    pairs = [{"image": f["image"], "label": f["label"]} for f in (*fields["training"], *fields["validation"])]
    label_train_task(hosted, pairs[2:], max_epochs=2)
    first = load(hosted / "models/last.pt")
    with pytest.raises(RuntimeError) as fault:
        label_train_task(hosted, pairs, max_epochs=1, restart_on_change=False)
    assert "data must be " in str(fault.value.__cause__)
    assert load(hosted / "models/last.pt")["settings"] == first["settings"]
    label_train_task(hosted, pairs, max_epochs=1)
    assert "Starting anew: data must be " in capsys.readouterr().out
    second = load(hosted / "models/last.pt")
    assert second["trainer"]["epoch"] == 1
    assert second["settings"]["data"] != first["settings"]["data"]

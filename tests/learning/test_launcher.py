import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from noisylabels.data.errors import InputError
from noisylabels.learning.launch import find_bundle, parse
from noisylabels.learning.launcher import plan_prediction, plan_training, run
from noisylabels.learning.records import RECORD
from tests.bundles.conftest import BUNDLES

ROSELLA = ["background", "phagophore", "autolysosome"]


def test_a_bundle_is_found_by_name_or_folder() -> None:
    assert find_bundle("cdl").resolve() == find_bundle(str(BUNDLES / "cdl")).resolve()


def test_checkpoints_go_to_the_output_folder_unless_told_otherwise() -> None:
    told = {"output_dir": "runs/mdl", "ckpt_dir": "runs/mdl", "restart_on_change": "False"}
    assert plan_training("mdl", (), {}).overrides == told
    told = plan_training("mdl", (), {"output_dir": "a", "ckpt_dir": "b"})
    assert told.overrides == {"output_dir": "a", "ckpt_dir": "b", "restart_on_change": "False"}


def test_presets_are_merged_in_order_over_the_config() -> None:
    launch = plan_training("cdl", ("paper", "demo"), {})
    assert [Path(file).name for file in launch.config_files] == ["train.yaml", "paper.yaml", "demo.yaml"]


UNET = {
    "_target_": "UNet",
    "spatial_dims": 2,
    "in_channels": 2,
    "out_channels": 3,
    "channels": [16, 16, 32, 64, 128],
    "strides": [1, 2, 2, 2],
    "num_res_units": 2,
    "norm": "BATCH",
}


def write_run(folder: Path, **changes: Any) -> str:
    """Write a record as training does, and return where its weights would lie."""
    folder.mkdir(exist_ok=True)
    record = {"bundle": "cdl", "network": UNET, "n_channels": 2, "class_names": ROSELLA, "channel_names": []}
    (folder / RECORD).write_text(json.dumps(record | changes))
    return str(folder / "model.pt")


def test_prediction_builds_the_network_that_was_trained(tmp_path: Path) -> None:
    weights = write_run(tmp_path)
    assert plan_prediction("cdl", (), {"ckpt_path": weights}).overrides == {"ckpt_path": weights}
    network = UNET | {"in_channels": 1, "norm": "INSTANCE", "dropout": 0.2}
    weights = write_run(tmp_path, network=network, n_channels=1)
    launch = plan_prediction("cdl", ("marginal",), {"ckpt_path": weights, "threshold": "0.3"})
    told = {"n_channels": 1, "network_def": network}
    assert launch.overrides == told | {"ckpt_path": weights, "threshold": "0.3"}
    given = plan_prediction("cdl", (), {"ckpt_path": weights, "network_def::dropout": "0.1"}).overrides
    assert list(given) == ["n_channels", "network_def", "ckpt_path", "network_def::dropout"]


def test_prediction_builds_it_with_the_channels_and_classes_that_are_given(tmp_path: Path) -> None:
    network = UNET | {"in_channels": 1, "norm": "INSTANCE"}
    weights = write_run(tmp_path, network=network, n_channels=1)
    for n_channels in ("1", "3"):
        given = plan_prediction("cdl", (), {"ckpt_path": weights, "n_channels": n_channels})
        followed = {"in_channels": "@n_channels", "out_channels": "$len(@class_names)"}
        assert given.overrides["network_def"] == network | followed
        assert parse(given).get_parsed_content("network_def::in_channels") == int(n_channels)
        assert parse(given).get_parsed_content("network_def::out_channels") == 3
    other = write_run(tmp_path / "own", network=network | {"in_channels": 4}, n_channels=1)
    told = plan_prediction("cdl", (), {"ckpt_path": other, "n_channels": 1}).overrides["network_def"]
    assert told["in_channels"] == 4


MARK = "$__import__('pathlib').Path('mark').touch()"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"n_channels": MARK}, "n_channels of {} must be a whole number from 1 on, got "),
        ({"class_names": ["background", MARK]}, "class_names of {} must be plain text without $ @ % :, got "),
        ({"class_names": MARK}, "class_names of {} must be a list of words, got "),
        ({"channel_names": [MARK]}, "channel_names of {} must be plain text without $ @ % :, got "),
        ({"network": UNET | {"norm": MARK}}, "The network of {} must be plain text without $ @ % :, got "),
        (
            {"network": UNET | {"norm": [{MARK: 1}]}},
            "The network of {} must be plain text without $ @ % :, got ",
        ),
        ({"network": UNET | {"_target_": "os.system"}}, "The network of {} must be one of AttentionUnet, "),
        ({"network": UNET | {"_target_": ["UNet"]}}, "The network of {} must be one of AttentionUnet, "),
        ({"network": UNET | {"_mode_": "debug"}}, "The network of {} must be one of AttentionUnet, "),
        ({"network": UNET | {"act": [{"_target_": "os.system"}]}}, "The network of {} must be one of AttentionUnet, "),
        ({"network": None}, "{} must tell the network that was trained, got none."),
        ({"bundle": "../evil"}, "Names of bundles of {} must be plain names "),
    ],
)
def test_a_record_is_data_and_no_config_text(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    weights = write_run(tmp_path, **changes)
    with pytest.raises(InputError) as fault:
        plan_prediction("cdl", (), {"ckpt_path": weights})
    assert str(fault.value).startswith(sentence.format(tmp_path / RECORD))


def test_a_torn_record_is_one_sentence(tmp_path: Path) -> None:
    weights = write_run(tmp_path)
    path = tmp_path / RECORD
    path.write_text(path.read_text()[:-20])
    with pytest.raises(InputError, match=r"run.json must be JSON, but it is torn\. Train anew"):
        plan_prediction("cdl", (), {"ckpt_path": weights})


@pytest.mark.parametrize("key", ["dataset_dir", "output_dir", "label_name", "init"])
@pytest.mark.parametrize("sign", ["$", "@", "%"])
def test_paths_that_monai_would_evaluate_are_refused(key: str, sign: str) -> None:
    with pytest.raises(InputError, match=rf"^{key} must be a path that begins with no \$ @ %, got"):
        plan_training("cdl", (), {key: f"{sign}seed"})


def test_a_preset_may_be_a_file_of_the_users_own(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("learning_rate: 0.5\n")
    launch = plan_training("cdl", ("paper", str(own)), {})
    assert launch.config_files[2] == str(own)
    assert launch.merged()["learning_rate"] == 0.5
    own.write_text("learning_rate: $os.getpid()\n")
    with pytest.raises(
        InputError, match=r"own.yaml must name nothing outside the allow-list, got 1 such, first call of"
    ):
        plan_training("cdl", (str(own),), {})
    assert plan_training("cdl", (str(own),), {}, trust=True)


def test_a_strangers_bundle_is_looked_at_before_it_runs(tmp_path: Path) -> None:
    stranger = shutil.copytree(BUNDLES / "mdl", tmp_path / "stranger", ignore=shutil.ignore_patterns("models", "eval"))
    plan_training(str(stranger), (), {})
    (stranger / "configs/extra.YAML").write_text("run: $os.system('ls')")
    for plan in (plan_training, plan_prediction):
        with pytest.raises(
            InputError, match=r"stranger must name nothing outside the allow-list, got 1 such, first call"
        ):
            plan(str(stranger), (), {})
        assert plan(str(stranger), (), {}, trust=True)


def test_further_arguments_of_the_network_are_held_against_its_class() -> None:
    assert plan_training("cdl", (), {"network_def::dropout": "0.2"}).values()["network_def::dropout"] == 0.2
    message = "An argument of UNet must be one that it takes, got 'dropuot'. Did you mean dropout?"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        plan_training("cdl", (), {"network_def::dropuot": "0.2"})


def test_the_id_of_a_preset_can_be_overridden_too() -> None:
    overrides = plan_prediction("cdl", ("marginal",), {"threshold": "0.3", "ckpt_path": "model.pt"}).overrides
    assert overrides == {"threshold": "0.3", "ckpt_path": "model.pt"}
    with pytest.raises(InputError, match="got 'threshold'"):
        plan_prediction("cdl", (), {"threshold": "0.3"})


def test_both_separators_of_ids_are_known() -> None:
    assert "train#trainer#max_epochs" in plan_training("cdl", (), {"train#trainer#max_epochs": "3"}).overrides


def write_dataset(folder: Path, channels: list[str], classes: list[str]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset.json").write_text(json.dumps({"channel_names": channels, "class_names": classes}))
    return str(folder)


def test_channels_and_classes_are_those_of_the_dataset_unless_given(tmp_path: Path) -> None:
    nuclei = write_dataset(tmp_path / "nuclei", ["DNA"], ["background", "nucleus"])
    told = plan_training("cdl", (), {"dataset_dir": nuclei}).overrides
    assert (told["n_channels"], told["class_names"]) == ("1", "['background', 'nucleus']")
    assert plan_training("cdl", (), {"dataset_dir": nuclei}).values()["class_names"] == ["background", "nucleus"]
    assert plan_training("cdl", (), {"dataset_dir": nuclei, "n_channels": "3"}).overrides["n_channels"] == "3"


def test_the_bundles_own_channels_and_classes_are_not_repeated(tmp_path: Path) -> None:
    screen = write_dataset(tmp_path, ["DsRed", "pHluorin"], ROSELLA)
    told = {"dataset_dir", "output_dir", "ckpt_dir", "restart_on_change"}
    assert set(plan_training("cdl", (), {"dataset_dir": screen}).overrides) == told


@pytest.mark.parametrize("key", ["class_names", "channel_names"])
def test_names_of_a_dataset_are_words_and_no_config_text(tmp_path: Path, key: str) -> None:
    about = {"channel_names": ["a", "b"], "class_names": ["background", "event"]}
    path = tmp_path / "dataset.json"
    for value, must in (([MARK, "b"], "plain text without $ @ % :"), ({"a": 1}, "a list of words")):
        path.write_text(json.dumps(about | {key: value}))
        with pytest.raises(InputError) as fault:
            plan_training("cdl", (), {"dataset_dir": str(tmp_path)})
        assert str(fault.value).startswith(f"{key} of {path} must be {must}, got ")


def test_another_order_of_the_same_channels_is_refused(tmp_path: Path) -> None:
    swapped = write_dataset(tmp_path / "screen", ["pHluorin", "DsRed"], ROSELLA)
    sentence = (
        f"Channels of {swapped} must be in the order DsRed, pHluorin, got pHluorin, DsRed. "
        "Import the images anew with --keep 1,0 --channels DsRed,pHluorin."
    )
    for plan in (plan_training, plan_prediction):
        with pytest.raises(InputError) as fault:
            plan("cdl", (), {"dataset_dir": swapped})
        assert str(fault.value) == sentence


def test_prediction_holds_the_order_against_what_was_trained_on(tmp_path: Path) -> None:
    weights = write_run(tmp_path, channel_names=["er", "dna", "golgi"])
    plan_prediction("cdl", (), {"ckpt_path": weights, "dataset_dir": write_dataset(tmp_path / "a", ["x", "y"], [])})
    turned = write_dataset(tmp_path / "b", ["dna", "golgi", "er"], [])
    with pytest.raises(InputError, match=r"in the order er, dna, golgi, got dna, golgi, er. Import .* --keep 2,0,1 "):
        plan_prediction("cdl", (), {"ckpt_path": weights, "dataset_dir": turned})


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "3"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    for plan in (plan_training, plan_prediction):
        with pytest.raises(
            InputError, match=r"device must be one that torch finds here \(cpu.*\), got .* Leave --device"
        ):
            plan("cdl", (), {"device": device})
        assert plan("cdl", (), {"device": "cpu"}).overrides["device"] == "cpu"
        assert plan("cdl", (), {"device": "$torch.device('cpu')"})


def test_the_folder_of_a_training_stands_for_its_weights(tmp_path: Path) -> None:
    weights = write_run(tmp_path, channel_names=["dna"])
    launch = plan_prediction("cdl", (), {"ckpt_path": str(Path(weights).parent)})
    assert launch.overrides["ckpt_path"] == str(weights)
    assert launch.overrides == plan_prediction("cdl", (), {"ckpt_path": weights}).overrides


def test_a_run_without_a_folder_is_told_how_to_name_one() -> None:
    for plan, line in ((plan_training, "train BUNDLE --dataset_dir FOLDER"), (plan_prediction, "predict MODEL FOLDER")):
        with pytest.raises(InputError) as fault:
            run(plan("cdl", (), {}))
        sentence = f"There must be a folder of images to work on, got none. Name it: noisylabels {line}."
        assert str(fault.value) == sentence


def test_missing_weights_are_told_before_anything_is_read(tmp_path: Path) -> None:
    launch = plan_prediction("cdl", (), {"ckpt_path": str(tmp_path / "model.pt"), "dataset_dir": "nowhere"})
    with pytest.raises(FileNotFoundError, match=r"A checkpoint must exist, got .*model.pt. Train first"):
        run(launch)

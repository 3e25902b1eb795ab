import json
from pathlib import Path

import pytest

from noisylabels.data.errors import InputError
from noisylabels.learning.launcher import RECORD, find_bundle, plan_prediction, plan_training, run
from tests.bundles.conftest import BUNDLES


def test_a_bundle_is_found_by_name_or_folder() -> None:
    assert find_bundle("cdl").resolve() == find_bundle(str(BUNDLES / "cdl")).resolve()


def test_checkpoints_go_to_the_output_folder_unless_told_otherwise() -> None:
    assert plan_training("mdl", (), {}).overrides == {"output_dir": "runs/mdl", "ckpt_dir": "runs/mdl"}
    told = plan_training("mdl", (), {"output_dir": "a", "ckpt_dir": "b"})
    assert told.overrides == {"output_dir": "a", "ckpt_dir": "b"}


def test_presets_are_merged_in_order_over_the_config() -> None:
    launch = plan_training("cdl", ("paper", "demo"), {})
    assert [Path(file).name for file in launch.config_files] == ["train.yaml", "paper.yaml", "demo.yaml"]


def test_prediction_builds_the_network_that_was_trained(tmp_path: Path) -> None:
    overrides = {"n_channels": "1", "num_epochs": "3", "network_def::norm": "INSTANCE"}
    (tmp_path / RECORD).write_text(json.dumps({"presets": ["paper"], "overrides": overrides}))
    launch = plan_prediction("cdl", ("marginal",), {"ckpt_path": str(tmp_path / "model.pt"), "n_channels": "2"})
    assert launch.presets == ("paper", "marginal")
    assert launch.overrides == {
        "ckpt_path": str(tmp_path / "model.pt"),
        "n_channels": "2",
        "network_def::norm": "INSTANCE",
    }


def test_the_id_of_a_preset_can_be_overridden_too() -> None:
    assert plan_prediction("cdl", ("marginal",), {"threshold": "0.3"}).overrides == {"threshold": "0.3"}
    with pytest.raises(InputError, match="got 'threshold'"):
        plan_prediction("cdl", (), {"threshold": "0.3"})


def test_both_separators_of_ids_are_known() -> None:
    assert "train#trainer#max_epochs" in plan_training("cdl", (), {"train#trainer#max_epochs": "3"}).overrides


def write_dataset(folder: Path, channels: list[str], classes: list[str]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset.json").write_text(json.dumps({"channel_names": channels, "class_names": classes}))
    return str(folder)


ROSELLA = ["background", "phagophore", "autolysosome"]


def test_channels_and_classes_are_those_of_the_dataset_unless_given(tmp_path: Path) -> None:
    nuclei = write_dataset(tmp_path / "nuclei", ["DNA"], ["background", "nucleus"])
    told = plan_training("cdl", (), {"dataset_dir": nuclei}).overrides
    assert (told["n_channels"], told["class_names"]) == ("1", "['background', 'nucleus']")
    assert plan_training("cdl", (), {"dataset_dir": nuclei}).values()["class_names"] == ["background", "nucleus"]
    assert plan_training("cdl", (), {"dataset_dir": nuclei, "n_channels": "3"}).overrides["n_channels"] == "3"


def test_the_bundles_own_channels_and_classes_are_not_repeated(tmp_path: Path) -> None:
    screen = write_dataset(tmp_path, ["DsRed", "pHluorin"], ROSELLA)
    assert set(plan_training("cdl", (), {"dataset_dir": screen}).overrides) == {"dataset_dir", "output_dir", "ckpt_dir"}


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
    (tmp_path / RECORD).write_text(json.dumps({"channel_names": ["er", "dna", "golgi"]}))
    weights = str(tmp_path / "model.pt")
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


def test_missing_weights_are_told_before_anything_is_read(tmp_path: Path) -> None:
    launch = plan_prediction("cdl", (), {"ckpt_path": str(tmp_path / "model.pt"), "dataset_dir": "nowhere"})
    with pytest.raises(FileNotFoundError, match=r"A checkpoint must exist, got .*model.pt. Train first"):
        run(launch)

import json
from pathlib import Path

import pytest

from noisylabels.errors import InputError
from noisylabels.learning.launcher import RECORD, find_bundle, plan_prediction, plan_training
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

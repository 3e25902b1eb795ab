"""A preset file of one's own: ids of the config, arguments of its classes, and what something refers to; no others."""

from pathlib import Path

import pytest

from noisylabels.data.errors import InputError
from noisylabels.learning.configs import merge_configs
from noisylabels.learning.launcher import plan_training
from noisylabels.learning.presets import check_preset
from tests.bundles.conftest import BUNDLES


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "learning_rat: 0.1",
            "A preset must set ids that the config has or uses, got 'learning_rat' in {}. Did you mean learning_rate",
        ),
        (
            "zzz: 1",
            "A preset must set ids that the config has or uses, got 'zzz' in {}. Refer to it by @ ",
        ),
        (
            "optimizer::weight_decai: 0",
            "An argument of torch.optim.AdamW must be one that it takes, got 'weight_decai' in {}. "
            "Did you mean weight_decay?",
        ),
        (
            "loss: {_target_: DiceLoss, softmx: true}",
            "An argument of DiceLoss must be one that it takes, got 'softmx' in {}. Did you mean softmax",
        ),
        (
            "+train::preprocessing::transforms: [{_target_: RandFlipd, keys: image, prb: 1}]",
            "An argument of RandFlipd must be one that it takes, got 'prb' in {}. Did you mean prob",
        ),
        ("train::trainor::max_epochs: 3", "{} must change ids that are there, got train::trainor::max_epochs. "),
    ],
)
def test_a_mistyped_id_is_told_with_the_closest(tmp_path: Path, text: str, sentence: str) -> None:
    preset = tmp_path / "my.yaml"
    preset.write_text(text)
    with pytest.raises(InputError) as fault:
        plan_training("cdl", (str(preset),), {})
    assert str(fault.value).startswith(sentence.format(preset))


@pytest.mark.parametrize("text", ["", "_desc_: mine", "learning_rate: 0.1", "rate: 0.1\nlearning_rate: '@rate'"])
def test_what_the_config_has_or_uses_passes(tmp_path: Path, text: str) -> None:
    preset = tmp_path / "my.yaml"
    preset.write_text(text or "{}")
    assert plan_training("cdl", (str(preset),), {}).presets == (str(preset),)


PRESETS = [(path.parents[1].name, path.stem) for path in sorted(BUNDLES.glob("*/configs/*.yaml"))]
OF_INFERENCE = ("marginal",)
NONE = ("train", "inference", "inference_standalone", "demo")


@pytest.mark.parametrize(("bundle", "name"), [pair for pair in PRESETS if pair[1] not in NONE])
def test_our_own_presets_would_pass(bundle: str, name: str) -> None:
    base = "inference" if name in OF_INFERENCE else "train"
    files = [BUNDLES / bundle / f"configs/{one}.yaml" for one in (base, name)]
    check_preset(files[1], merge_configs(files[:1]), merge_configs(files))

"""The bundles differ where the paper's methods differ, and nowhere else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigParser

from tests.bundles.conftest import BUNDLES

# The keys in which MDL may differ from CDL, by file.
MAY_DIFFER = {
    "metadata.json": {"name", "description", "data_source"},  # and the scores: eval_metrics
    "train.yaml": {"label_name", "num_epochs", "learning_rate", "warm_up", "split::0", "split::1", "split::2"},
    "inference.yaml": {"method"},
    "inference_standalone.yaml": {"output_dir"},
    "evaluate.yaml": set(),
    "multi_gpu_train.yaml": set(),
    "paper.yaml": {"learning_rate", "_desc_"},
    "sgd.yaml": {"learning_rate"},
    "demo.yaml": {"_desc_", "num_epochs"},
    "logging.conf": None,
}


def leaves(config: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    pairs = config.items() if isinstance(config, dict) else enumerate(config) if isinstance(config, list) else None
    if pairs is None:
        yield prefix.removesuffix("::"), config
        return
    for key, value in pairs:
        yield from leaves(value, f"{prefix}{key}::")


def config(bundle: str, name: str) -> dict[str, Any]:
    return ConfigParser.load_config_file(BUNDLES / bundle / "configs" / name)


@pytest.mark.parametrize("name", sorted(path.name for path in (BUNDLES / "mdl" / "configs").iterdir()))
def test_mdl_differs_from_cdl_in_the_declared_keys_only(name: str) -> None:
    allowed = MAY_DIFFER.get(name, set())
    if allowed is None:
        assert (BUNDLES / "cdl/configs" / name).read_text() == (BUNDLES / "mdl/configs" / name).read_text()
        return
    cdl, mdl = dict(leaves(config("cdl", name))), dict(leaves(config("mdl", name)))
    differing = {key for key in {**cdl, **mdl} if cdl.get(key) != mdl.get(key) and not key.startswith("eval_metrics::")}
    assert differing <= allowed


def test_mdl_has_the_papers_numbers() -> None:
    assert config("mdl", "train.yaml")["split"] == [0.8, 0.1, 0.1]
    assert config("mdl", "paper.yaml")["learning_rate"] == 0.001
    assert config("cdl", "train.yaml")["split"] == [0.85, 0.1, 0.05]
    assert config("cdl", "paper.yaml")["learning_rate"] == 0.002


def test_the_bundles_have_the_same_files() -> None:
    def files(bundle: str) -> set[Path]:
        folder = BUNDLES / bundle
        kept = ("configs", "docs", "LICENSE")
        found = {path.relative_to(folder) for path in folder.rglob("*") if path.relative_to(folder).parts[0] in kept}
        # Presets against noise are CDL's alone: MDL's labels are corrected.
        return {
            path
            for path in found
            if not path.name.startswith("robust_") and path.stem not in ("marginal", "memorisation")
        }

    assert files("cdl") == files("mdl")


@pytest.mark.parametrize("key", ["network_def", "n_channels", "class_names", "device"])
def test_inference_builds_what_training_built(bundle: Path, key: str) -> None:
    assert config(bundle.name, "inference.yaml")[key] == config(bundle.name, "train.yaml")[key]


def test_validation_and_inference_prepare_images_as_training_does(bundle: Path) -> None:
    """Same normalisation and padding; only the random transforms and the label are training's own."""

    def steps(transforms: list[dict[str, Any]]) -> list[dict[str, Any]]:
        kept = {"NormalizeIntensityd", "DivisiblePadd"}
        return [
            {**step, "keys": "image"} for step in transforms if step["_target_"] in kept and step["keys"] != "label"
        ]

    train = config(bundle.name, "train.yaml")
    inference = config(bundle.name, "inference.yaml")["preprocessing"]["transforms"]
    assert steps(train["train"]["preprocessing"]["transforms"]) == steps(inference)
    assert steps(train["validate"]["preprocessing"]["transforms"]) == steps(inference)

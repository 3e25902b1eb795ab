"""The settings that `train --help` and `predict --help` list are those of the bundles, with their defaults."""

from pathlib import Path

import pytest
import yaml
from monai.bundle import ConfigParser

from noisylabels.commands.common_settings import PREDICTION, TRAINING
from tests.running import run_command

OTHERWISE = {"dataset_dir", "output_dir", "ckpt_path", "method", "init"}
"""Whose default is said in words: the command fills it in."""


@pytest.mark.parametrize(("config", "settings"), [("train", TRAINING), ("inference", PREDICTION)])
def test_every_default_is_that_of_the_bundle(bundle: Path, config: str, settings) -> None:
    values = ConfigParser.load_config_file(str(bundle / f"configs/{config}.yaml"))
    assert {name for name, _, _ in settings} <= set(values)
    for name, default, _ in settings:
        of_cdl, _, of_mdl = default.partition("; mdl: ")
        written = of_mdl if of_mdl and bundle.name == "mdl" else of_cdl
        if name not in OTHERWISE:
            assert yaml.safe_load(written) == values[name], name


@pytest.mark.parametrize(("command", "settings"), [("train", TRAINING), ("predict", PREDICTION)])
def test_help_lists_them(command: str, settings, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run_command(command, "--help") == 0
    said = capsys.readouterr().out
    for name, default, what in settings:
        assert any(f"--{name} " in line and f"{what} (default: {default})" in line for line in said.splitlines()), name

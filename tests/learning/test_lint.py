import json
import re
import shutil
from pathlib import Path

import pytest

from noisylabels.cli import main
from noisylabels.data.errors import InputError
from noisylabels.learning.lint import fault_of, lint_bundle
from tests.bundles.conftest import BUNDLES


@pytest.mark.parametrize("name", ["cdl", "mdl"])
def test_the_own_bundles_are_all_on_the_allow_list(name: str) -> None:
    findings = lint_bundle(BUNDLES / name)
    assert len(findings) > 100
    assert [finding for finding in findings if finding.fault] == []


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("$__import__('os').system('ls')", "call of __import__('os').system"),
        ("$eval('1')", "call of eval"),
        ("$open('/etc/passwd').read()", "call of open('/etc/passwd').read"),
        ("$import subprocess", "import of subprocess"),
        ("$from os import system", ""),
        ("$system('ls')", "call of system"),
        ("$(lambda: 1)()", "call of lambda: 1"),
        ("$[x for x in (1, 2)]", "listcomp in an expression"),
        ("$@network.__class__", "private name __class__"),
        ("$@network.to(@device)", ""),
        ("$torch.hub.load('a', 'b')", "call of torch.hub.load"),
        ("$@train::trainer.run()", ""),
        ("$os.run()", "call of os.run"),
        ("$f'{1}'", "joinedstr in an expression"),
        ("$1 +", "not an expression"),
        ("%other.json#key", "macro that reads a file"),
    ],
)
def test_an_expression_is_plain_or_told(expression: str, fault: str) -> None:
    assert fault_of("run::0", expression) == fault


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("UNet", False),
        ("monai.networks.nets.UNet", False),
        ("noisylabels.learning.network.PoolUNet", False),
        ("noisylabels.learning.datalist.read_fields", False),
        ("noisylabels.learning.launcher.run", True),
        ("monai.bundle.run", True),
        ("monai.data.utils.pickle_operations", True),
        ("torch.load", True),
        ("subprocess.Popen", True),
        ("run", True),
    ],
)
def test_a_target_is_a_known_class_or_told(target: str, told: bool) -> None:
    assert fault_of("a::_target_", target) == (f"target {target}" if told else "")


def test_a_planted_call_is_listed_with_its_place_and_exit_code_3(tmp_path: Path, capsys) -> None:
    bundle = shutil.copytree(BUNDLES / "cdl", tmp_path / "stranger")
    config = {"run": ["$os.system('ls')"], "loss": {"_target_": "os.system", "command": "ls"}}
    (bundle / "configs/extra.json").write_text(json.dumps(config))
    with pytest.raises(SystemExit) as exit_:
        main(["lint-bundle", str(bundle)])
    assert exit_.value.code == 3
    out = capsys.readouterr().out.splitlines()
    assert out[:2] == [
        "extra.json: run::0: $os.system('ls')  [call of os.system]",
        "extra.json: loss::_target_: os.system  [target os.system]",
    ]
    assert re.fullmatch(r"\d+ targets and expressions, 2 outside the allow-list", out[2])


def test_a_folder_without_configs_or_a_broken_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^A bundle must have configs"):
        lint_bundle(tmp_path)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/train.yaml").write_text("a: [1")
    with pytest.raises(InputError, match=re.escape(f"{tmp_path}/configs/train.yaml must be YAML, got a fault:")):
        lint_bundle(tmp_path)

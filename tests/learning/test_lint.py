import json
import re
import shutil
from pathlib import Path

import pytest

from noisylabels.data.errors import InputError
from noisylabels.learning.lint import fault_of, lint_bundle
from tests.bundles.conftest import BUNDLES
from tests.running import run_command


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
        ("$from os import system", "import of os.system"),
        ("$from os import system as max", "import of os.system as max"),
        ("$import os as max", "import of os as max"),
        ("$os.system", "name os.system"),
        ("$os", "name os"),
        ("$@imports::0.system", "name @....system"),
        ("$@imports::0.system('ls')", "call of @....system"),
        ("$@a['b']('ls')", "call of @...['b']"),
        ("$len(os.system)", "name os.system"),
        ("$'@a'", "reference within a text"),
        ("$reference_.to()", "name reference_"),
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
        ("ConfigWorkflow", True),
        ("Lambdad", True),
        ("PersistentDataset", True),
    ],
)
def test_a_target_is_a_known_class_or_told(target: str, told: bool) -> None:
    assert fault_of("a::_target_", target) == (f"target {target}" if told else "")


def test_a_planted_call_is_listed_with_its_place_and_exit_code_2(tmp_path: Path, capsys) -> None:
    bundle = shutil.copytree(BUNDLES / "cdl", tmp_path / "stranger")
    config = {"run": ["$os.system('ls')"], "loss": {"_target_": "os.system", "command": "ls"}}
    (bundle / "configs/extra.json").write_text(json.dumps(config))
    assert run_command("lint-bundle", bundle) == 2
    out = capsys.readouterr().out.splitlines()
    assert out[:2] == [
        "configs/extra.json: run::0: $os.system('ls')  [call of os.system]",
        "configs/extra.json: loss::_target_: os.system  [target os.system]",
    ]
    assert re.fullmatch(r"\d+ targets, expressions and files, 2 outside the allow-list", out[2])


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("configs/Extra.YAML", "run: $eval('1')", "call of eval"),
        ("configs/deep/er/x.yml", "a#_target_: os.system", "target os.system"),
        ("configs/x.json", '{"a": {"_target_": ["os.system"]}}', "target ['os.system']"),
        (
            "configs/x.yaml",
            "load: {_target_: LoadImaged, reader: NumpyReader, allow_pickle: true}",
            "reader NumpyReader",
        ),
        ("configs/x.yaml", "load: {_target_: LoadImaged, allow_pickle: true}", "setting allow_pickle"),
        ("configs/x.yaml", "save: {writer: evil.module.Writer}", "writer evil.module.Writer"),
        ("scripts/net.py", "import os", "not judged"),
        ("models/model.ts", "", "not judged"),
        (
            "configs/logging.conf",
            "[handler_a]\nclass=StreamHandler\nargs=(__import__('os').system('ls'),)",
            "args (__import",
        ),
        ("configs/logging.conf", "[handler_a]\nclass=evil.Handler", "class evil.Handler"),
    ],
)
def test_every_file_of_a_bundle_is_judged_or_told(tmp_path: Path, name: str, text: str, fault: str) -> None:
    bundle = shutil.copytree(BUNDLES / "mdl", tmp_path / "stranger")
    (bundle / name).parent.mkdir(parents=True, exist_ok=True)
    (bundle / name).write_text(text)
    found = next(finding for finding in lint_bundle(bundle) if finding.fault)
    assert found.file == name
    assert found.fault.startswith(fault)


def test_a_link_is_told(tmp_path: Path) -> None:
    bundle = shutil.copytree(BUNDLES / "mdl", tmp_path / "stranger")
    (bundle / "configs/x.txt").symlink_to(tmp_path)
    assert [finding.fault for finding in lint_bundle(bundle) if finding.fault] == ["link to another file, not judged"]


def test_a_folder_without_configs_or_a_broken_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^A bundle must have configs"):
        lint_bundle(tmp_path)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/train.yaml").write_text("a: [1")
    with pytest.raises(InputError, match=re.escape(f"{tmp_path}/configs/train.yaml must be YAML, got expected")):
        lint_bundle(tmp_path)

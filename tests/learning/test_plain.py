"""Data that goes into a config is data, and no code runs."""

import json
import sys

import pytest

from noisylabels.data.errors import InputError
from noisylabels.learning.channels import read_names
from noisylabels.learning.launcher import plan_training
from noisylabels.learning.plain import check_place, check_plain

EVIL = "$__import__('os').system('touch ran') or 'x'"
STARTED: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def _watch_processes():
    """No test of this file starts a process."""

    def hook(event, arguments):
        if event in ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn"):
            STARTED.append(f"{event} {arguments}")

    sys.addaudithook(hook)


@pytest.mark.parametrize("value", [EVIL, "@net", "%file.yaml", "a:b", [["x", EVIL]], {"a": EVIL}, {"$a": 1}, object()])
def test_what_a_config_would_evaluate_is_refused(value):
    with pytest.raises(InputError, match=r"^names of f\.json must be plain text without \$ @ % :, got "):
        check_plain(value, what="names", source="f.json")


@pytest.mark.parametrize("value", [None, True, 3, 0.5, "Alexa 568", ["background", "nucleus"], {"a": [1, 2]}])
def test_data_passes_as_it_is(value):
    assert check_plain(value, what="names", source="f.json") == value


@pytest.mark.parametrize("key", ["class_names", "channel_names"])
def test_a_class_name_of_a_strangers_dataset_runs_nothing(tmp_path, monkeypatch, key):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dataset.json").write_text(json.dumps({key: ["background", EVIL]}))
    before = len(STARTED)
    with pytest.raises(InputError, match=rf"^{key} of .*dataset\.json must be plain text"):
        plan_training("cdl", (), {"dataset_dir": str(tmp_path)})
    with pytest.raises(InputError):
        read_names(tmp_path)
    assert STARTED[before:] == []
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("sign", ["$", "@", "%"])
def test_a_folder_that_begins_with_a_sign_of_configs_is_one_sentence(sign):
    message = (
        f"dataset_dir must be a path that begins with no $ @ %, got '{sign}x'. Rename the folder, or put ./ before it."
    )
    with pytest.raises(InputError) as fault:
        plan_training("cdl", (), {"dataset_dir": f"{sign}x"})
    assert str(fault.value) == message
    assert check_place(f"./{sign}x", what="dataset_dir") == f"./{sign}x"

"""A mistake in what is given is told in one sentence, with exit code 2, by the command; and last by plain MONAI."""

import re
import subprocess
import sys
from pathlib import Path

import monai.bundle
import numpy as np
import pytest
import tifffile

from noisylabels.data.images import write_image, write_label_map
from tests.bundles.conftest import BUNDLES
from tests.bundles.small_screen import write_screen
from tests.running import run_command


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence that the command says before it exits with code 2."""
    assert run_command(*words) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line.removeprefix("noisylabels: ")


@pytest.fixture
def run(screen: Path, elsewhere: Path) -> list[str]:
    return ["train", "cdl", "--dataset_dir", str(screen), "--output_dir", "run", "--num_epochs", "1"]


def test_a_mistyped_override_is_refused_with_the_closest_names(run: list[str], capsys) -> None:
    config = BUNDLES / "cdl/configs/train.yaml"
    assert told([*run, "--num_epoch", "9"], capsys) == (
        f"An override must be an id of {config}, got 'num_epoch'. "
        "Did you mean num_epochs or schedule_epochs or steps_per_epoch?"
    )
    line = told([*run, "--train::trainer::max_epoch", "9"], capsys)
    assert "got 'train::trainer::max_epoch'. Did you mean train::trainer::max_epochs or " in line


def test_an_unknown_bundle_or_preset_is_refused_with_those_there_are(run: list[str], capsys) -> None:
    assert told(["train", "cld"], capsys) == (
        "A bundle must be one of cdl, mdl or a bundle's folder, got 'cld'. Name one of them."
    )
    line = told([*run, "--preset", "papr"], capsys)
    assert re.match(
        r"^A preset of cdl must be one of demo, .*paper, .* or a YAML file, got 'papr'\. Name one of them\.$", line
    )


def test_an_unknown_model_is_refused_with_those_there_are(screen: Path, capsys) -> None:
    rule = "A model must be cdl, mdl, nuclei, a model.pt, the folder of a training, or a bundle"
    assert told(["predict", "nuclie", str(screen)], capsys) == (
        f"{rule}, got 'nuclie'. Name one of them, or train one."
    )
    assert told(["predict", str(screen)], capsys) == (
        f"{rule}, got '{screen}'. The folder to predict comes second: noisylabels predict cdl {screen}."
    )


def test_an_option_without_value_or_dashes_is_refused(run: list[str], capsys) -> None:
    assert told([*run, "--seed"], capsys) == (
        "An override must have a value, got --seed and nothing after it. Write --seed VALUE."
    )
    assert told([*run, "seed", "3"], capsys).startswith("An override must be written --id value, got 'seed'.")


def test_a_fault_in_a_field_leaves_no_run_behind(run: list[str], screen: Path, elsewhere: Path, capsys) -> None:
    write_image(screen / "images/f2.ome.tif", np.zeros((3, 44, 60), np.uint16))
    assert told(run, capsys) == f"{screen}/images/f2.ome.tif must have 2 channels, got 3. Pass --n_channels 3."
    assert not list(elsewhere.iterdir())


def test_a_class_outside_the_table_is_named_with_its_file(run: list[str], screen: Path, capsys) -> None:
    label_map = tifffile.imread(screen / "labels/cip/f1.tif")
    label_map[label_map == 2] = 4
    write_label_map(screen / "labels/cip/f1.tif", label_map)
    assert told(run, capsys).startswith(
        f"Values of {screen}/labels/cip/f1.tif must be class indices 0..2 (background, phagophore, autolysosome), or "
        "255 to be ignored, got 4"
    )


def test_a_yaml_fault_is_told_with_line_and_column(run: list[str], tmp_path: Path, capsys) -> None:
    import shutil

    broken = shutil.copytree(BUNDLES / "cdl", tmp_path / "broken")
    config = broken / "configs/train.yaml"
    config.write_text(config.read_text().replace("seed: 0", "seed: [0", 1))
    line = told([run[0], str(broken), *run[2:]], capsys)
    assert re.match(rf"^{re.escape(str(config))} must be YAML, got .* in line \d+, column \d+\. Correct it\.$", line)


def test_a_truncated_image_is_told_while_predicting(run: list[str], screen: Path, capsys) -> None:
    main_quietly(run)
    path = screen / "images/f2.ome.tif"
    path.write_bytes(path.read_bytes()[:600])
    words = ["predict", "cdl", "--dataset_dir", str(screen), "--ckpt_path", "run/model.pt"]
    capsys.readouterr()
    assert told(words, capsys).startswith(f"{path} must be a whole image file, but it cannot be decoded")
    empty = screen / "empty"
    empty.mkdir()
    words[3] = str(empty)
    assert told(words, capsys) == (
        f"dataset_dir must be a dataset folder or hold images, got {empty} (empty). Check the path."
    )


def test_a_checkpoint_of_another_network_and_other_settings_are_refused(run: list[str], screen: Path, capsys) -> None:
    main_quietly(run)
    capsys.readouterr()
    assert told([*run, "--weight_decay", "0.5"], capsys) == (
        "optimizer weight_decay must be 0.01 to continue run/last.pt, got 0.5. Repeat the settings of that run, name "
        "another --output_dir and --ckpt_dir, or start anew: --resume False."
    )
    assert told([*run, "--preset", "paper"], capsys).startswith(
        "run/last.pt must hold the weights of this network, got "
    )
    words = ["predict", "cdl", "--dataset_dir", str(screen), "--ckpt_path", "run/model.pt", "--preset", "paper"]
    assert told(words, capsys).startswith("run/model.pt must hold the weights of this network, got ")


def test_a_loss_that_is_no_number_stops_with_epoch_and_field(run: list[str], capsys) -> None:
    line = told([*run, "--learning_rate", "1e30", "--num_epochs", "3"], capsys)
    assert re.match(
        r"^The loss must be finite, got nan in epoch \d, iteration \d, at f\d(, f\d)*\. Lower --learning_rate, or look"
        r" at that field\.$",
        line,
    )


def test_plain_monai_ends_with_the_same_sentence(screen: Path, elsewhere: Path) -> None:
    (screen / "images/f2.ome.tif").unlink()
    with pytest.raises(RuntimeError) as raised:
        monai.bundle.run(
            config_file=str(BUNDLES / "cdl/configs/train.yaml"),
            bundle_root=str(BUNDLES / "cdl"),
            dataset_dir=str(screen),
            ckpt_dir="run",
            output_dir="run",
        )
    causes = []
    error: BaseException | None = raised.value
    while error is not None:
        causes.append(error)
        error = error.__cause__ or error.__context__
    assert str(causes[-1]).startswith(f"{screen}/images/f2.ome.tif must be an image file, but it does not exist;")


def test_help_answers_without_the_frameworks() -> None:
    code = (
        "import sys; from noisylabels.cli import main\n"
        "try: main(['train', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(bool({'torch', 'monai', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "--dataset_dir" in done.stdout


def test_a_folder_of_plain_images_is_predicted(run: list[str], screen: Path, elsewhere: Path) -> None:
    main_quietly(run)
    words = ["predict", "cdl", "--dataset_dir", str(screen / "images"), "--ckpt_path", "run/model.pt"]
    main_quietly([*words, "--output_dir", "out"])
    assert sorted(path.name for path in (elsewhere / "out").iterdir()) == sorted(
        ["events.csv", *(f"f{i}.tif" for i in range(10))]
    )
    assert tifffile.imread(elsewhere / "out/f0.tif").shape == (44, 60)


def test_two_classes_and_one_channel_are_trained_and_predicted_through_overrides(
    tmp_path: Path, elsewhere: Path
) -> None:
    from noisylabels.data.labels import ClassTable

    screen = write_screen(tmp_path / "nuclei", classes=ClassTable(("background", "nucleus")), n_channels=1)
    words = ["--dataset_dir", str(screen), "--n_channels", "1", "--class_names", "['background','nucleus']"]
    main_quietly(["train", "cdl", *words, "--output_dir", "run", "--num_epochs", "1"])
    # The record beside the checkpoint tells predict the same.
    main_quietly(["predict", "cdl", "--dataset_dir", str(screen), "--ckpt_path", "run/model.pt", "--split", "test"])
    assert tifffile.imread(screen / "labels/cdl/f9.tif").max() <= 1


def main_quietly(words: list[str]) -> None:
    assert run_command(*words) == 0

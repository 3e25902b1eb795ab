"""What a newcomer gets wrong: one sentence that names the file, exit code 2, nothing written."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile

from noisylabels.data.images import write_image, write_label_map
from tests.bundles.small_screen import write_screen
from tests.running import run_command

SIZE = (44, 60)

pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{said}")
    for said in ("parsing config_file", "executing the bundle config under", "No hash value provided")
]


@pytest.fixture(autouse=True)
def _no_log_into_closed_streams() -> Iterator[None]:
    """The bundle's logging configuration outlives a test; the stream that it writes to does not."""
    yield
    for name in (None, *logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers = [handler for handler in logger.handlers if type(handler) is not logging.StreamHandler]


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the dataset folder `screen`: ten fields, label sets `cip` and `truth`."""
    monkeypatch.chdir(tmp_path)
    write_screen(Path("screen"), size=SIZE)
    shutil.copytree("screen/labels/cip", "screen/labels/truth")
    about = Path("screen/dataset.json")
    about.write_text(about.read_text().replace("channel 1", "DsRed").replace("channel 2", "pHluorin"))
    return tmp_path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("model")
    screen = write_screen(home / "screen", size=SIZE)
    assert run_command("train", "cdl", "--dataset_dir", screen, "--output_dir", home / "run", "--num_epochs", 1) == 0
    return home / "run" / "model.pt"


IMAGE, LABELS = Path("screen/images/f2.ome.tif"), [Path(f"screen/labels/{name}/f2.tif") for name in ("cip", "truth")]


def empty_the_folder() -> None:
    shutil.rmtree("screen")
    Path("screen/images").mkdir(parents=True)


def give_a_fourth_class() -> None:
    for path in LABELS:
        label_map = tifffile.imread(path)
        write_label_map(path, np.where(label_map == 2, 4, label_map).astype(np.uint8))


def crop_the_labels() -> None:
    for path in LABELS:
        write_label_map(path, np.zeros((SIZE[0] - 4, SIZE[1]), np.uint8))


def put_nan() -> None:
    image = tifffile.imread(IMAGE).astype(np.float32)
    image[0, 3, 3] = np.nan
    write_image(IMAGE, image)


FAULTS = {
    "empty folder": (empty_the_folder, "screen"),
    "missing image": (IMAGE.unlink, "f2"),
    "wrong channel count": (lambda: write_image(IMAGE, np.zeros((3, *SIZE), np.uint16)), f"{IMAGE} must have 2 ch"),
    "a class too many": (
        give_a_fourth_class,
        "f2.tif must be class indices 0..2 (background, phagophore, autolysosome)",
    ),
    "truncated TIFF": (lambda: IMAGE.write_bytes(IMAGE.read_bytes()[:600]), f"{IMAGE} must be a whole image file"),
    "NaN pixels": (put_nan, f"Pixels of {IMAGE} must be finite, got NaN or infinity in 1"),
    "label of another size": (crop_the_labels, "must have the size of its image, (44, 60), got (40, 60)"),
}
OF_IMAGES = [name for name in FAULTS if name not in ("a class too many", "label of another size")]

COMMANDS = {
    "import": (
        *("import", "screen/images", "new", "--labels", "truth=screen/labels/truth"),
        *("--classes", "background,phagophore,autolysosome"),
    ),
    "train": ("train", "cdl", "--dataset_dir", "screen", "--output_dir", "new", "--num_epochs", "1"),
    "detect": ("detect", "screen", "--out", "new", "--folds", "2"),
    "calibrate": ("calibrate", "screen", "--out", "new", "--resamples", "2"),
    "survey": ("survey", "screen", "--methods", "cip,truth", "--out", "new"),
}


def files() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*"))


def told(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """The one sentence that a command says, last, before it exits with code 2 and has written nothing."""
    before = files()
    capsys.readouterr()
    assert run_command(*words) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert files() == before
    assert len(lines) == 1
    assert lines[0].startswith("noisylabels: ")
    return lines[0]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("fault", FAULTS)
def test_bad_data_is_told_and_leaves_nothing(room: Path, capsys, fault: str, command: str) -> None:
    spoil, sentence = FAULTS[fault]
    spoil()
    if (fault, command) == ("a class too many", "import"):
        sentence = (
            "screen/labels/truth must hold class indices 0..2 (background, phagophore, autolysosome), got 0, 1, 2, 4"
        )
    assert sentence in told(capsys, *COMMANDS[command])


@pytest.mark.parametrize("fault", OF_IMAGES)
def test_bad_images_are_told_before_any_is_predicted(room: Path, model: Path, capsys, fault: str) -> None:
    spoil, sentence = FAULTS[fault]
    spoil()
    assert sentence in told(capsys, "predict", "cdl", "--dataset_dir", "screen", "--ckpt_path", model)


@pytest.mark.parametrize("fault", OF_IMAGES[1:])
def test_the_pipeline_labels_the_others_and_tells_the_one(room: Path, capsys, fault: str) -> None:
    spoil, sentence = FAULTS[fault]
    spoil()
    capsys.readouterr()
    assert run_command("cip", "screen", "--name", "new") == 3
    told_, said = capsys.readouterr().err.strip().splitlines(), Path("screen/labels/new")
    assert len(told_) == 1
    assert sentence in told_[0]
    assert sorted(path.stem for path in said.glob("*.tif")) == [f"f{i}" for i in range(10) if i != 2]


@pytest.mark.parametrize("fault", ["missing image", "truncated TIFF", "NaN pixels"])
def test_a_single_bad_image_is_told_and_leaves_no_folder(room: Path, capsys, fault: str) -> None:
    FAULTS[fault][0]()
    assert str(IMAGE) in told(capsys, "cip", IMAGE, "--out", "new")


def test_one_channel_for_a_pipeline_of_two_is_told_with_its_file(room: Path, capsys) -> None:
    write_image(IMAGE, np.zeros((1, *SIZE), np.uint16))
    line = told(capsys, "cip", IMAGE, "--out", "new")
    assert line == f"noisylabels: {IMAGE}: The image must have a channel 1, got 1 channels. Use --channels."
    line = told(capsys, "cip", "screen", "--channels", "0,7")
    assert line == "noisylabels: --channels must be positions from 0 to 1 in screen, got '0,7'. Correct it."


@pytest.mark.parametrize("fault", ["a class too many", "label of another size"])
def test_an_evaluation_of_nothing_countable_is_refused(room: Path, capsys, fault: str) -> None:
    FAULTS[fault][0]()
    if fault == "label of another size":
        shutil.copy("screen/labels/truth/f0.tif", LABELS[1])
    for number in {*range(10)} - {2}:
        shutil.copy(LABELS[0], f"screen/labels/cip/f{number}.tif")
    words = ("evaluate", "screen", "--methods", "cip", "--out", "new", "--resamples", "20", "--gallery", "0")
    assert "At least one field must be countable, got none. The first fault: " in told(capsys, *words)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--num_epoch", "9"), "got 'num_epoch'. Did you mean num_epochs or schedule_epochs or steps_per_epoch?"),
        (("--num_epochs", "three"), "num_epochs must be a whole number from 1 on, got 'three'. The config has 15."),
        (("--num_workers", "two"), "num_workers must be a whole number from 0 on, got 'two'. The config has "),
        (("--batch_size", "0"), "batch_size must be a whole number from 1 on, got 0. The config has 8."),
        (("--learning_rate", "fast"), "learning_rate must be a number, got 'fast'. The config has "),
        (("--resume", "no"), "resume must be True or False, got 'no'. The config has True."),
    ],
)
def test_a_mistyped_override_is_told(room: Path, capsys, words: tuple[str, str], sentence: str) -> None:
    assert sentence in told(capsys, *COMMANDS["train"], *words)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("cip", "nowhere.tif", "--out", "new"), "nowhere.tif must be a dataset folder or an image file, but it does"),
        (("cip", "screen", "--settings", "no.yaml"), "no.yaml must be a file of settings, but it does not exist."),
        (
            ("import", "screen/images", "new", "--groups", "group"),
            "Groups must be given as TABLE.csv:COLUMN, got 'grou",
        ),
        (("import", "screen/images", "new", "--groups", "a.csv:well"), "a.csv must be a path that can be used, got: "),
    ],
)
def test_a_path_that_is_not_there_is_told_in_our_words(
    room: Path, capsys, words: tuple[str, ...], sentence: str
) -> None:
    assert sentence in told(capsys, *words)


def test_what_a_newcomer_leaves_out_is_found_where_training_put_it(room: Path, model: Path, capsys) -> None:
    shutil.copytree(model.parent, "runs/cdl")
    assert run_command("predict", "cdl", "--dataset_dir", "screen", "--split", "test") == 0
    assert capsys.readouterr().out.endswith("label maps: screen/labels/cdl\n")
    assert sorted(path.name for path in Path("screen/labels/cdl").glob("*.tif")) == ["f8.tif", "f9.tif"]
    assert run_command("predict", "cdl", "--dataset_dir", "screen/images", "--output_dir", "out") == 0
    assert capsys.readouterr().out.endswith("label maps: out\npreview: out-preview.png\n")
    assert len(list(Path("out").glob("*.tif"))) == 10


def test_an_import_that_was_refused_can_be_given_again(room: Path, capsys) -> None:
    whole = IMAGE.read_bytes()
    put_nan()
    told(capsys, *COMMANDS["import"])
    IMAGE.write_bytes(whole)
    assert run_command(*COMMANDS["import"]) == 0
    assert len(list(Path("new/images").iterdir())) == len(list(Path("new/labels/truth").iterdir())) == 10

"""Label maps as other programs write them."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image
from noisylabels.data.labels import ClassTable
from noisylabels.importing.folder import import_folder
from noisylabels.importing.masks import decide_reading, parse_values, read_mask

NUCLEUS = ClassTable(("background", "nucleus"))
OBJECTS = np.array([[0, 1, 1, 0, 2], [0, 1, 0, 0, 2], [3, 0, 0, 0, 0]], np.uint16)


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, array) if path.suffix == ".tif" else Image.fromarray(array).save(path)
    return path


def read(paths, **given):
    reading = decide_reading(paths, source="masks", **given)
    return reading, [reading.apply(read_mask(path), source=path.name).tolist() for path in paths]


def test_an_empty_map_is_background(tmp_path):
    reading, maps = read([save(tmp_path / "a.png", np.zeros((2, 3), np.uint8))])
    assert maps == [[[0, 0, 0], [0, 0, 0]]]
    assert reading.classes.names == ("background", "foreground")


def test_0_and_255_are_background_and_the_one_class(tmp_path):
    paths = [save(tmp_path / "a.png", np.array([[0, 255], [0, 0]], np.uint8))]
    for classes in (None, NUCLEUS):
        reading, maps = read(paths, classes=classes)
        assert maps == [[[0, 1], [0, 0]]]
    assert reading.describe() == "0 = background, 255 = nucleus"


def test_a_white_map_beside_others_is_all_foreground(tmp_path):
    paths = [save(tmp_path / f"{name}.png", np.full((1, 2), value, np.uint8)) for name, value in (("a", 0), ("b", 255))]
    assert read(paths)[1] == [[[0, 0]], [[1, 1]]]


def test_a_palette_gives_its_indices(tmp_path):
    picture = Image.new("P", (3, 1))
    picture.putdata([0, 1, 2])
    picture.putpalette([255, 255, 255, 0, 255, 0, 255, 0, 0])
    picture.save(tmp_path / "a.png")
    assert read([tmp_path / "a.png"], classes=ClassTable(("background", "green", "red")))[1] == [[[0, 1, 2]]]


GREEN_RED = np.array([[[0, 0, 0], [0, 255, 0], [255, 0, 0]]], np.uint8)


def test_colours_become_classes_and_the_table_is_shown(tmp_path):
    reading, maps = read([save(tmp_path / "a.png", GREEN_RED)])
    assert maps == [[[0, 1, 2]]]
    assert reading.describe() == "#000000 = background, #00ff00 = colour #00ff00, #ff0000 = colour #ff0000"


def test_a_person_says_which_colour_is_which(tmp_path):
    values = parse_values(["#ff0000=phagophore", "#00FF00=autolysosome"])
    reading, maps = read([save(tmp_path / "a.png", GREEN_RED)], values=values)
    assert reading.classes.names == ("background", "phagophore", "autolysosome")
    assert maps == [[[0, 2, 1]]]


def test_green_masks_of_objects_keep_every_pixel(tmp_path):
    green = np.zeros((4, 5, 3), np.uint8)
    green[1:3, 1:4, 1] = 200
    reading, maps = read([save(tmp_path / "a.png", green)], holds="objects", classes=NUCLEUS)
    assert np.sum(maps) == 6
    assert reading.describe() == "object numbers; every object is nucleus"


@pytest.mark.parametrize("given", [{"content": "objects"}, {"holds": "objects"}, {}], ids=["tool", "said", "seen"])
def test_object_numbers_are_one_class(tmp_path, given):
    _, maps = read([save(tmp_path / "a.tif", OBJECTS)], **given)
    assert maps == [(OBJECTS > 0).astype(int).tolist()]


def test_classes_in_several_pieces_are_no_objects(tmp_path):
    pieces = np.array([[1, 0, 1, 0, 2], [0, 0, 0, 0, 0], [2, 0, 1, 0, 2]], np.uint8)
    reading, maps = read([save(tmp_path / "a.tif", pieces)])
    assert maps == [pieces.tolist()]
    assert reading.classes.names == ("background", "class 1", "class 2")


def test_ilastik_counts_from_one(tmp_path):
    reading, maps = read([save(tmp_path / "a.tif", np.array([[1, 2, 3]], np.uint8))], content="ilastik")
    assert maps == [[[0, 1, 2]]]
    assert reading.classes.names == ("background", "label 2", "label 3")


def test_an_unknown_number_names_the_option(tmp_path):
    with pytest.raises(InputError) as fault:
        read([save(tmp_path / "a.png", np.array([[0, 128, 255]], np.uint8))], classes=NUCLEUS)
    assert str(fault.value) == (
        "masks must hold class indices 0..1 (background, nucleus), got 0, 128, 255. Say which number is which class "
        "(--values 255=CLASS, once for each), or that they are object numbers (--masks objects)."
    )


def test_a_number_outside_the_table_of_a_person_is_named(tmp_path):
    path = save(tmp_path / "a.png", np.array([[0, 128, 255]], np.uint8))
    with pytest.raises(InputError) as fault:
        read([path], values={"255": "nucleus"})
    assert str(fault.value) == (
        "Values of a.png must be among those of the table (0 = background, 255 = nucleus), got 128. "
        "Add it: --values 128=CLASS."
    )


def test_a_photograph_is_no_label_map(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8)
    with pytest.raises(InputError, match=r"must hold at most 32 colours, got 81: these are pictures"):
        read([save(tmp_path / "a.png", noise)])


def test_probabilities_are_no_label_map(tmp_path):
    with pytest.raises(InputError, match=r"must hold whole numbers, got fractions such as 0.5"):
        read([save(tmp_path / "a.tif", np.array([[0, 0.5]], np.float32))])


def test_label_sets_of_one_dataset_have_one_class_table(tmp_path):
    write_image(tmp_path / "raw" / "a.tif", np.zeros((1, 1, 3), np.uint8))
    save(tmp_path / "one" / "a.png", np.array([[0, 255, 0]], np.uint8))
    save(tmp_path / "two" / "a.png", GREEN_RED)
    with pytest.raises(InputError) as fault:
        import_folder(tmp_path / "raw", tmp_path / "out", labels={n: tmp_path / n for n in ("one", "two")})
    assert str(fault.value) == (
        "Label sets of one dataset must have one class table, got background, foreground in one and background, "
        "colour #00ff00, colour #ff0000 in two. Name the classes: --classes, with --values for other numbers."
    )

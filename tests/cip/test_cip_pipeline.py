"""The CIP as a whole: what it takes, what it gives, and the errors it must make."""

import dataclasses

import numpy as np
import pytest

from evaluation.metrics.counts import ERRORS, FieldKey
from evaluation.metrics.fields import count_fields
from evaluation.metrics.pixels import score_classes
from noisylabels.cip import LCSB, MENDED, PRESETS, preset, segment_field, settings_from_dict
from noisylabels.cip.quality import format_errors
from noisylabels.data.errors import InputError
from noisylabels.data.labels import PHASES_TO_ROSELLA, ROSELLA, ROSELLA_PHASES, merge_classes
from noisylabels.data.settings import read_mapping
from noisylabels.simulation import SimulationSettings, simulate_field
from tests.cases import draw

SHAPE = (96, 128)


def field(*events, n_planes=None, shape=SHAPE):
    """Cells of even green and red with Gaussian events of (row, column, radius, red, green)."""
    row, column = np.indices(shape)
    red, green = np.full(shape, 240.0), np.full(shape, 550.0)
    for at_row, at_column, radius, more_red, more_green in events:
        spot = np.exp(-((row - at_row) ** 2 + (column - at_column) ** 2) / radius**2)
        red, green = red + more_red * spot, green + more_green * spot
    image = np.stack([red, green]).astype(np.uint16)
    return image if n_planes is None else np.repeat(image[:, None], n_planes, axis=1)


PHAGOPHORE, AUTOLYSOSOME = (40, 40, 3, 900, 2500), (60, 90, 4, 1200, -380)


@pytest.mark.parametrize("settings", PRESETS.values(), ids=PRESETS)
@pytest.mark.parametrize(
    "image",
    [
        np.zeros((2, *SHAPE), np.uint16),
        np.full((2, *SHAPE), 4095, np.uint16),
        np.zeros((2, 5, 40, 50), np.uint16),
        field(),
    ],
    ids=["dark", "saturated", "five dark planes", "even cells"],
)
def test_a_field_without_events_has_no_label(image, settings):
    result = segment_field(image, settings)
    assert result.label_map.shape == image.shape[-2:]
    assert result.label_map.dtype == np.uint8
    assert not result.label_map.any()
    assert len(result.vesicles) == 0


@pytest.mark.parametrize("settings", PRESETS.values(), ids=PRESETS)
@pytest.mark.parametrize("n_planes", [None, 1, 5])
def test_red_with_green_is_a_phagophore_and_red_alone_an_autolysosome(n_planes, settings):
    image = field(PHAGOPHORE, AUTOLYSOSOME, n_planes=n_planes)
    before = image.copy()
    result = segment_field(image, settings)
    assert ROSELLA_PHASES.names[result.label_map[40, 40]] == "phagophore"
    assert ROSELLA_PHASES.names[result.label_map[60, 90]] in ("autolysosome", "early autolysosome")
    assert result.label_map[20, 100] == 0
    assert result.label_stack.shape == (n_planes or 1, *SHAPE)
    assert np.array_equal(image, before)


def test_labels_and_table_tell_the_same():
    result = segment_field(field(PHAGOPHORE, AUTOLYSOSOME), LCSB)
    assert result.vesicle_stack.max() == len(result.vesicles) >= 2
    for vesicle, index in zip(result.vesicles["vesicle"], result.vesicles["class_index"], strict=True):
        assert (result.label_stack[result.vesicle_stack == vesicle] == index).all()
    assert result.vesicles["voxels"].sum() == (result.vesicle_stack > 0).sum()


def test_one_bright_voxel_blinds_the_original_and_not_the_mended_pipeline():
    """The common cause of errors within an image: the scale is the stack's brightest voxel."""
    dim = field((40, 40, 3, 330, 800))
    bright = dim.copy()
    bright[:, 80, 110] = 60_000
    assert segment_field(dim, LCSB).label_map[40, 40] == 1
    assert segment_field(bright, LCSB).label_map[40, 40] == 0
    assert segment_field(bright, MENDED).label_map[40, 40] == segment_field(dim, MENDED).label_map[40, 40] == 1


def test_events_at_the_border_are_lost():
    result = segment_field(field((2, 40, 3, 900, 2500), PHAGOPHORE), LCSB)
    assert not result.label_map[:8].any()
    assert result.label_map[40, 40] == 1


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (
            np.zeros((3, 40, 40)),
            "The image must be (2, row, column) or (2, plane, row, column), DsRed then pHluorin, "
            "got shape (3, 40, 40). Choose the two channels.",
        ),
        (
            np.full((2, 40, 40), np.nan),
            "Pixels must be finite counts of at least 0, got 3200 of 3200 that are not. Drop the image.",
        ),
        (
            np.full((2, 40, 40), -1.0),
            "Pixels must be finite counts of at least 0, got 3200 of 3200 that are not. Drop the image.",
        ),
        (
            np.zeros((2, 9, 40)),
            "The PSF must fit into the image (1, 9, 40), got a PSF of (1, 17, 17). Give a smaller PSF.",
        ),
    ],
)
def test_images_that_cannot_be_used_are_refused(image, message):
    with pytest.raises(InputError) as caught:
        segment_field(image)
    assert str(caught.value) == message


def test_presets_hold_the_published_numbers():
    red, green, acid = LCSB.red, LCSB.green, LCSB.acidity
    assert (red.small_wide_px, red.small_kernel_px, red.small_threshold) == (7, 20, 400)
    assert (red.fill_disc_px, red.fill_threshold, red.fill_at_least_voxels, red.fill_small_share) == (
        25,
        1200,
        500,
        0.1,
    )
    assert (red.big_wide_px, red.big_threshold, red.big_at_least_voxels, red.big_at_most_voxels) == (6, 1000, 200, 2000)
    assert (green.wide_px, green.threshold, green.log_threshold, green.at_least_voxels) == (5, 1000, -2000, 10)
    assert (acid.disc_px, acid.threshold, acid.ring_px, acid.ring_over_inside) == (15, 1.5, 7, 1.5)
    assert LCSB.deconvolution.full_scale_counts is None
    changed = dataclasses.replace(MENDED, name=LCSB.name, deconvolution=LCSB.deconvolution, decisions=LCSB.decisions)
    assert changed == LCSB


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"preset": "lcsb"}, f"A CIP preset must be one of {', '.join(PRESETS)}, got 'lcsb'. Use one of those names."),
        (
            {"red": {"smal_threshold": 1}},
            "Setting red.smal_threshold must be one of those there are, got an unknown name. "
            "Did you mean small_threshold, fill_threshold, big_threshold?",
        ),
        ({"red": 3}, "Setting red must be a mapping of names to values, got 3. Write one name a line."),
        (
            {"red": {"small_threshold": "400"}},
            "Setting red.small_threshold must be a number, got '400'. Correct the value.",
        ),
        (
            {"decisions": {"overlap": "all"}},
            "Setting decisions.overlap must be 'first' or 'last', got 'all'. Correct the value.",
        ),
        (
            {"deconvolution": {"blind": 1}},
            "Setting deconvolution.blind must be true or false, got 1. Correct the value.",
        ),
    ],
)
def test_settings_that_do_not_exist_are_refused(values, message):
    with pytest.raises(InputError) as caught:
        settings_from_dict(values)
    assert str(caught.value) == message


def test_settings_come_from_yaml(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("preset: rosella-lc3-mended\nred: {small_threshold: 500}\n")
    expected = dataclasses.replace(MENDED, red=dataclasses.replace(MENDED.red, small_threshold=500.0))
    assert settings_from_dict(read_mapping(path)) == expected
    assert preset(MENDED.name) == MENDED
    path.write_text("- 1\n")
    with pytest.raises(InputError, match="must hold a mapping of settings"):
        read_mapping(path)
    path.write_text("a: [\n")
    with pytest.raises(InputError, match="must be YAML"):
        read_mapping(path)


def test_the_table_names_the_errors_of_evaluation_and_leaves_undefined_rates_empty():
    nothing, swollen = np.zeros((2, 4), np.uint8), (draw("1... / ...."), draw("111. / ...."))
    empty = format_errors(count_fields([(FieldKey("a", "CIP"), nothing, nothing)], classes=ROSELLA))
    assert empty.splitlines()[2].split() == ["phagophore", "0.0000", "0.0000", "0.023", "nan", "nan"]
    assert empty.endswith("mean IoU 1.000 over 1 fields")
    text = format_errors(count_fields([(FieldKey("a", "CIP"), *swollen)], classes=ROSELLA)).splitlines()
    assert text[0].split()[-5:] == ["missed", "misclassified", "incomplete", "swollen", "spurious"]
    assert text[2].split()[-5:] == ["0.00", "0.00", "0.00", "1.00", "0.00"]


def test_on_simulated_fields_it_makes_the_errors_of_the_original():
    """Bands, not numbers: it finds most events, misses some, swells masks and invents events (facts of the paper)."""
    settings = SimulationSettings.from_dict({"frame": {"rows": 256, "columns": 344}})
    fields = []
    for number in (1, 2):
        simulated = simulate_field(settings, seed=3, well="D06", field=number)
        found = merge_classes(segment_field(simulated.image, LCSB).label_map, PHASES_TO_ROSELLA)
        fields.append((FieldKey(str(number), "CIP"), merge_classes(simulated.label_map, PHASES_TO_ROSELLA), found))
    table = count_fields(fields, classes=ROSELLA)
    confusion = table.confusion.sum(0)
    for index in ROSELLA.indices[1:]:
        errors = dict(zip(ERRORS, table.errors[:, index].sum(0), strict=True))
        assert errors["n_reference"] > 20
        assert 0.05 < errors["missed"] / errors["n_reference"] < 0.6
        assert errors["spurious"] / errors["n_prediction"] > 0.02
        assert confusion[:, index].sum() / confusion[index].sum() > 0.8
        assert 0.1 < score_classes(confusion)["iou"][index] < 0.7

"""Outlines of label maps, out and in again, against the pixels and against another polygon filler."""

import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from roifile import ROI_TYPE, ImagejRoi

from noisylabels.data.errors import InputError
from noisylabels.data.labels import IGNORE_INDEX, ROSELLA
from noisylabels.data.outlines import Outline, class_of, fill_outlines, read_outlines, trace_outlines, write_outlines
from tests.cases import draw

NO_EVENT = np.zeros((4, 5), np.uint8)


@pytest.mark.parametrize("form", ["roi", "geojson"])
@settings(max_examples=30, deadline=None)
@given(
    label_map=arrays(
        np.uint8,
        st.tuples(st.integers(1, 9), st.integers(1, 9)),
        elements=st.sampled_from([0, 0, 1, 1, 2, IGNORE_INDEX]),
    )
)
def test_a_label_map_comes_back_equal_to_the_pixel(form, label_map):
    content = write_outlines(trace_outlines(label_map, ROSELLA), form)
    assert np.array_equal(fill_outlines(read_outlines(content), label_map.shape, ROSELLA), label_map)
    assert write_outlines(trace_outlines(label_map, ROSELLA), form) == content


def test_an_empty_map_has_no_outline():
    assert trace_outlines(NO_EVENT, ROSELLA) == []
    for form in ("roi", "geojson"):
        assert read_outlines(write_outlines([], form)) == []
    assert np.array_equal(fill_outlines([], (4, 5), ROSELLA), NO_EVENT)


def test_an_event_with_a_hole_and_a_corner_is_one_outline():
    label_map = draw("111.. / 1.1.. / 111.. / ...1.")
    (outline,) = trace_outlines(label_map, ROSELLA)
    assert outline.name == "phagophore"
    assert len(outline.rings) == 3  # around the frame, around the hole, around the pixel that touches at a corner
    (feature,) = json.loads(write_outlines([outline], "geojson"))["features"]
    assert feature["geometry"]["type"] == "MultiPolygon"
    assert [len(polygon) for polygon in feature["geometry"]["coordinates"]] == [2, 1]
    assert feature["properties"]["classification"] == {"name": "phagophore"}


def test_corners_are_kept_and_points_along_a_side_are_not():
    (outline,) = trace_outlines(draw("..... / .222. / .222."), ROSELLA)
    assert outline.rings[0].tolist() == [[1, 1], [1, 4], [3, 4], [3, 1]]


@settings(max_examples=40, deadline=None)
@given(corners=st.lists(st.tuples(st.floats(-3, 15), st.floats(-3, 15)), min_size=3, max_size=7))
def test_a_drawn_polygon_takes_the_pixels_whose_centre_it_holds(corners):
    """Against a ray cast from every centre; centres that a side passes through may lie on either side."""
    ring = np.round(np.array(corners), 3)
    painted = fill_outlines([Outline("phagophore", (ring,))], (12, 12), ROSELLA) == 1
    rows, columns = np.indices((12, 12)) + 0.5
    inside, far = np.zeros((12, 12), bool), np.ones((12, 12), bool)
    for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        side, square = b - a, max(float(((b - a) ** 2).sum()), 1e-12)
        along = np.clip(((rows - a[0]) * side[0] + (columns - a[1]) * side[1]) / square, 0, 1)
        far &= np.hypot(rows - a[0] - along * side[0], columns - a[1] - along * side[1]) > 1e-6
        crossed = (a[0] > rows) != (b[0] > rows)
        inside ^= crossed & (columns > a[1] + (rows - a[0]) * side[1] / (side[0] or 1))
    assert np.array_equal(painted[far], inside[far])


def test_rectangles_and_ovals_of_imagej_are_read():
    rectangle = ImagejRoi(roitype=ROI_TYPE.RECT, top=1, left=2, bottom=3, right=5, name="autolysosome 7")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.roi", rectangle.tobytes())
        archive.writestr("notes.txt", "not read")
    label_map = fill_outlines(read_outlines(stream.getvalue()), (4, 6), ROSELLA)
    assert np.array_equal(label_map, draw("...... / ..222. / ..222. / ......"))


def test_what_encloses_no_area_is_refused_by_name():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("line.roi", ImagejRoi(roitype=ROI_TYPE.LINE, x2=3.0).tobytes())
    with pytest.raises(InputError, match=r"^An ROI must enclose an area, got line 'line\.roi'\. Delete it"):
        read_outlines(stream.getvalue())
    point = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}, "properties": {"name": "x"}}
    with pytest.raises(InputError, match=r"^An outline must be a Polygon or MultiPolygon, got Point 'x'\."):
        read_outlines(json.dumps(point).encode())


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"PK\x03\x04 torn", b"{", b"[1]", b"null", b'{"features": 3}', b"[" * 50_000, b'{"type": "Feature"}'],
    ids=range(9),
)
def test_damaged_files_are_one_sentence(content):
    with pytest.raises(
        InputError, match=r"^A file of outlines must be .*, got one that cannot be read \(.*Save it again"
    ):
        read_outlines(content)


def test_names_mean_classes():
    assert [class_of(name, ROSELLA) for name in ("phagophore", "Phagophore 3", "autolysosome-12", "ignore 1")] == [
        1, 1, 2, IGNORE_INDEX
    ]  # fmt: skip
    for name in ("", "nucleus", "background", "phago"):
        with pytest.raises(InputError, match=r"^The name of an outline must be a class \(phagophore, autolysosome, ig"):
            class_of(name, ROSELLA)

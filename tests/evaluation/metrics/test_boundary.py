import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from evaluation.metrics.boundary import count_boundaries, find_boundaries, score_boundaries
from evaluation.metrics.pixels import mean_defined
from evaluation.metrics.settings import EvaluationSettings
from tests.cases import draw

ENGINES = pytest.mark.parametrize("fast", [False, True], ids=["numpy", "numba"])
SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14)
TOLERANCES = st.sampled_from([0, 0.339, 1, 1.5, 2, 3, 3.192, 5])


def pairs_of_maps(n_classes):
    def of(shape):
        return arrays(np.uint8, (2, *shape), elements=st.integers(0, n_classes - 1))

    return SHAPES.flatmap(of)


def outline(label_map, index):
    """Boundary pixels of one class, one look at a time, from the definition."""
    rows, columns = label_map.shape
    places = []
    for row, column in np.argwhere(label_map == index):
        around = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        inside = [0 <= r < rows and 0 <= c < columns and label_map[r, c] == index for r, c in around]
        if not all(inside):
            places.append((row, column))
    return np.array(places).reshape(-1, 2)


def count_by_looking(reference, prediction, n_classes, tolerance, inclusive):
    counts = []
    for index in range(n_classes):
        first, second = outline(reference, index), outline(prediction, index)
        squared = ((first[:, None] - second[None]) ** 2).sum(-1)
        near = squared <= tolerance**2 if inclusive else squared < tolerance**2
        near |= squared == 0
        counts.append([len(first), near.any(1).sum(), len(second), near.any(0).sum()])
    return np.array(counts)


@settings(max_examples=80, deadline=None)
@given(maps=pairs_of_maps(4), tolerance=TOLERANCES, inclusive=st.booleans())
def test_both_engines_count_what_all_pairs_of_boundary_pixels_say(maps, tolerance, inclusive):
    slow = count_by_looking(*maps, 4, tolerance, inclusive)
    for fast in (False, True):
        found = count_boundaries(*maps, n_classes=4, tolerance_px=tolerance, inclusive=inclusive, fast=fast)
        np.testing.assert_array_equal(found, slow)


@ENGINES
def test_an_empty_field_has_the_frame_as_its_boundary(fast):
    counts = count_boundaries(
        draw(".... / .... / ...."), draw(".... / .... / ...."), n_classes=2, tolerance_px=1, fast=fast
    )
    np.testing.assert_array_equal(counts, [[10, 10, 10, 10], [0, 0, 0, 0]])


@ENGINES
def test_no_pixel_at_all_has_no_boundary(fast):
    empty = np.zeros((0, 5), np.uint8)
    counts = count_boundaries(empty, empty, n_classes=2, tolerance_px=1, fast=fast)
    np.testing.assert_array_equal(counts, np.zeros((2, 4)))


@ENGINES
def test_a_shifted_event_is_a_hit_only_within_the_tolerance(fast):
    reference = draw("....... / .111... / .111... / .111... / .......")
    prediction = draw("....... / ..111.. / ..111.. / ..111.. / .......")
    strict = count_boundaries(reference, prediction, n_classes=2, tolerance_px=1, fast=fast)
    inclusive = count_boundaries(reference, prediction, n_classes=2, tolerance_px=1, inclusive=True, fast=fast)
    # Outlines of eight pixels, columns 1-3 and 2-4: they share the top and bottom pixels of columns 2 and 3;
    # of the sides, column 3 row 2 is inner in the one, column 2 row 2 in the other.
    assert strict[1].tolist() == [8, 4, 8, 4]
    assert inclusive[1].tolist() == [8, 8, 8, 8]


@ENGINES
def test_hits_are_per_class(fast):
    reference, prediction = draw("11.. / 11.."), draw("22.. / 22..")
    counts = count_boundaries(reference, prediction, n_classes=3, tolerance_px=2, fast=fast)
    np.testing.assert_array_equal(counts, [[4, 4, 4, 4], [4, 0, 0, 0], [0, 0, 4, 0]])


@ENGINES
def test_ignored_pixels_have_no_boundary_and_bound_nothing(fast):
    reference = draw("..... / .111. / .111. / .119. / .....")
    prediction = draw("..... / .111. / .111. / .112. / .....")
    counts = count_boundaries(reference, prediction, n_classes=3, tolerance_px=1, ignore_index=9, fast=fast)
    # Of the nine pixels of the event the corner is ignored; the middle one stays inside, the other seven are outline.
    assert counts[1].tolist() == [7, 7, 7, 7]
    assert counts[2].tolist() == [0, 0, 0, 0]


@ENGINES
def test_a_hole_of_ignored_pixels_makes_no_inner_boundary(fast):
    reference = draw("11111 / 11111 / 11911 / 11111 / 11111")
    counts = count_boundaries(
        reference, np.ones_like(reference), n_classes=2, tolerance_px=1, ignore_index=9, fast=fast
    )
    assert counts[1].tolist() == [16, 16, 16, 16]  # the frame alone


def test_the_boundary_is_matlabs_bwperim_plus_the_frame():
    from scipy import ndimage as ndi

    label_map = (np.random.default_rng(0).random((40, 50)) > 0.4).astype(np.uint8)
    marked = find_boundaries(label_map)
    for index in (0, 1):
        mask = label_map == index
        eroded = ndi.binary_erosion(mask, border_value=0)  # default structure: the four neighbours
        np.testing.assert_array_equal(marked == index + 1, mask & ~eroded)


def test_distance_transforms_of_scipy_give_the_same_hits():
    from scipy import ndimage as ndi

    rng = np.random.default_rng(3)
    maps = [np.clip(ndi.gaussian_filter(rng.random((90, 120)), 3) * 40 - 18.5, 0, 2).astype(np.uint8) for _ in range(2)]
    counts = count_boundaries(*maps, n_classes=3, tolerance_px=6.384)
    edges = [find_boundaries(one) for one in maps]
    for kind in range(1, 4):
        distance = [ndi.distance_transform_edt(edge != kind) for edge in edges]
        assert counts[kind - 1, 1] == np.sum(distance[1][edges[0] == kind] < 6.384)
        assert counts[kind - 1, 3] == np.sum(distance[0][edges[1] == kind] < 6.384)


@pytest.mark.parametrize(
    ("counts", "f1"),
    [
        ([0, 0, 0, 0], np.nan),
        ([4, 0, 0, 0], np.nan),
        ([0, 0, 4, 0], np.nan),
        ([4, 0, 4, 0], 0),
        ([4, 2, 8, 8], 2 / 3),
    ],
    ids=["both empty", "only reference", "only prediction", "nothing matches", "half recalled, all precise"],
)
def test_edge_cases_of_the_boundary_score(counts, f1):
    np.testing.assert_allclose(score_boundaries([counts])["f1"], [f1])


def test_an_all_background_model_on_triangles_scores_as_a_matlab_user_saw():
    # Seen there: MeanBFScore .8970 = the background's BF, the triangle's NaN skipped. The images are not public data;
    # equilateral triangles of the same area (4.62 % of 32 x 32) anywhere in the field have nearly the same outline.
    tolerance = EvaluationSettings().tolerance_of((32, 32))
    scores = np.array([_score_all_background(triangle, tolerance) for triangle in _triangles(100)])
    assert np.isnan(scores[:, 1]).all()
    assert float(mean_defined(mean_defined(scores))) == pytest.approx(0.8970, abs=0.01)


def _score_all_background(triangle, tolerance):
    counts = count_boundaries(triangle, np.zeros_like(triangle), n_classes=2, tolerance_px=tolerance)
    return score_boundaries(counts)["f1"]


def _triangles(n):
    rng = np.random.default_rng(0)
    side = (4 * 0.0462 * 32 * 32 / 3**0.5) ** 0.5
    rows, columns = np.mgrid[:32, :32]
    for _ in range(n):
        centre, turn = rng.uniform(9, 23, 2), rng.uniform(0, 2 * np.pi)
        normals = turn + np.arange(3) * 2 * np.pi / 3
        depth = [(rows - centre[0]) * np.sin(a) + (columns - centre[1]) * np.cos(a) for a in normals]
        yield (np.max(depth, axis=0) < side / 12**0.5).astype(np.uint8)


@given(maps=pairs_of_maps(3), tolerance=TOLERANCES)
@settings(max_examples=30, deadline=None)
def test_laws_of_boundary_counts(maps, tolerance):
    reference, prediction = maps

    def count(first, second):
        return count_boundaries(first, second, n_classes=3, tolerance_px=tolerance)

    counts = count(reference, prediction)
    np.testing.assert_array_equal(count(prediction, reference), counts[:, [2, 3, 0, 1]])
    np.testing.assert_array_equal(count(reference.T, prediction.T), counts)
    np.testing.assert_array_equal(count(reference[::-1], prediction[::-1]), counts)
    assert (counts[:, [1, 3]] <= counts[:, [0, 2]]).all()
    same = count(reference, reference)
    np.testing.assert_array_equal(same[:, 0], same[:, 1])

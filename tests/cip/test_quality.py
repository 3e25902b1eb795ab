"""Which events a pipeline misses, by brightness and by size."""

import numpy as np

from noisylabels.cip.quality import describe_misses
from noisylabels.data.labels import ClassTable

TABLE = ClassTable(("background", "nucleus", "spot"))


def field(found):
    """Eight nuclei in a row, brighter to the right and larger to the left; `found` are predicted."""
    image, reference, prediction = np.zeros((1, 9, 80)), np.zeros((9, 80), np.uint8), np.zeros((9, 80), np.uint8)
    for place in range(8):
        box = slice(0, 9 - place), slice(10 * place, 10 * place + 5)
        image[0][box], reference[box] = 100 + 50 * place, 1
        prediction[box] = place in found
    return image, reference, prediction


def test_no_field_and_an_empty_one_say_nothing():
    empty = np.zeros((4, 5), np.uint8)
    assert describe_misses([], TABLE) == ""
    assert describe_misses([(np.zeros((1, 4, 5)), empty, empty)], TABLE) == ""


def test_dim_events_that_are_missed_stand_in_the_first_quarters():
    assert describe_misses([field({3, 4, 5, 6, 7})], TABLE) == (
        "nucleus missed, dim to bright: 1.00 0.50 0.00 0.00; small to large: 0.00 0.00 0.50 1.00"
    )


def test_a_stack_is_judged_by_its_brightest_planes():
    image, reference, prediction = field({4, 5, 6, 7})
    stack = np.stack([np.zeros_like(image[0]), image[0]])[None]
    assert describe_misses([(stack, reference, prediction)], TABLE).startswith(
        "nucleus missed, dim to bright: 1.00 1.00 0.00 0.00"
    )

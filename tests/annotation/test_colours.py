"""The desk's colours as people see them who lack a kind of cone: measured in CIE Lab.

What such a person sees is computed in linear RGB by the matrices of Machado, Oliveira and Fernandes (IEEE TVCG 15(6),
2009, doi:10.1109/TVCG.2009.113), severity 1.
"""

import itertools

import numpy as np
import pytest
from skimage.color import rgb2lab

from noisylabels.annotation.colours import channel_colour, class_colour

VISIONS = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
APART = 25.0  # CIE 1976 distance; about 2.3 is just noticed side by side (Mahy et al. 1994)
CLASSES = [class_colour(index) for index in range(1, 7)]
CHANNELS = [channel_colour(channel) for channel in range(3)]


def seen(colours, vision):
    """Lab of sRGB colours (0..255) as somebody sees them."""
    share = np.asarray(colours) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    light = np.clip(linear @ np.asarray(VISIONS[vision]).T, 0, 1)
    return rgb2lab(np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))


def nearest(colours, vision):
    lab = seen(colours, vision)
    return min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(lab, 2))


def test_the_matrices_keep_grey_and_confuse_what_such_people_confuse():
    for vision, matrix in VISIONS.items():
        assert np.sum(matrix, axis=1) == pytest.approx(1, abs=1e-5), vision
    yellow, green = (240, 228, 66), (0, 255, 0)  # the second class and channel of an earlier table of ours
    assert nearest([yellow, green], "all cones") > 60
    assert nearest([yellow, green], "protanopia") < 10


@pytest.mark.parametrize("vision", VISIONS)
def test_six_classes_and_three_channels_are_told_apart(vision):
    assert len({*CLASSES, *CHANNELS}) == 9
    assert nearest([*CLASSES, *CHANNELS], vision) >= APART


@pytest.mark.parametrize("vision", VISIONS)
def test_no_class_is_lost_on_a_dark_image(vision):
    assert seen(CLASSES, vision)[:, 0].min() >= 35  # of 0, black, to 100, white

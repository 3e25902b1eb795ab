"""Scale bars: a round length in micrometres, drawn over a picture as a share of its width."""

import math
from dataclasses import dataclass

LONGEST = 0.25  # of the width of the picture
ROUND_LENGTHS = (5, 2, 1)


@dataclass(frozen=True)
class ScaleBar:
    """A length beside a picture that stays right however large the picture is shown.

    Args:
        share: Its part of the width of the picture, in (0, 1].
        label: Its length with its unit.
    """

    share: float
    label: str


def choose_scale_bar(n_columns: int, pixel_size_um: float | None) -> ScaleBar | None:
    """Choose the longest of 1, 2, 5, 10, ... micrometres that takes at most a quarter of the width.

    Args:
        n_columns: Width of the picture in pixels.
        pixel_size_um: Side of a pixel in micrometres; None: unknown, then there is no bar.

    Examples:
        >>> choose_scale_bar(680, 0.2152)  # 146 micrometres wide
        ScaleBar(share=0.137, label='20 µm')
        >>> choose_scale_bar(680, None)
    """
    if not pixel_size_um or n_columns < 1:
        return None
    width = n_columns * pixel_size_um
    power = 10.0 ** math.floor(math.log10(LONGEST * width))
    length = next(factor * power for factor in ROUND_LENGTHS if factor * power <= LONGEST * width * (1 + 1e-9))
    return ScaleBar(round(length / width, 3), f"{length:g} µm")

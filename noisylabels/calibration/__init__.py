"""Calibration: measure a pipeline's or an annotator's errors against the truth, and make them again."""

from noisylabels.calibration.comparison import Comparison, compare_field
from noisylabels.calibration.goodness import check_profile
from noisylabels.calibration.noise_types import type_noise
from noisylabels.calibration.profile import Estimate, Profile, calibrate, make_profile

__all__ = [
    "Comparison",
    "Estimate",
    "Profile",
    "calibrate",
    "check_profile",
    "compare_field",
    "make_profile",
    "type_noise",
]

"""Calibration: measure a pipeline's or an annotator's errors against the truth, and make them again."""

from noisylabels.noise.calibration.comparison import Comparison, compare_field
from noisylabels.noise.calibration.goodness import check_profile
from noisylabels.noise.calibration.noise_types import type_noise
from noisylabels.noise.calibration.profile import Estimate, Profile, calibrate, make_profile
from noisylabels.noise.calibration.synthesis import synthesise

__all__ = [
    "Comparison",
    "Estimate",
    "Profile",
    "calibrate",
    "check_profile",
    "compare_field",
    "make_profile",
    "synthesise",
    "type_noise",
]

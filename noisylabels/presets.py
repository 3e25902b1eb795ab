"""Presets: noise models of annotators and of the paper's pipeline, as plain data.

The annotators are those of Segebarth et al. 2020 (doi:10.7554/eLife.59780) as `benchmarks/experts.py` measures them
against the fused truth; `cip-lcsb` follows the conventional pipeline's errors on simulated Rosella fields.
"""

from collections.abc import Mapping
from typing import Any

PRESETS: dict[str, Mapping[str, Any]] = {
    # 5-14 % missed, the dimmest and the smallest first; outlines waver; 3-13 % of the labels are extra
    "careful": {
        "missed": {"rate": 0.10, "given": {"contrast": -1.5, "area": -1.0}, "draw": "bernoulli", "image_sd": 0.6},
        "incomplete": {"rate": 0.03, "draw": "bernoulli"},
        "boundary": {"rate": 1.0, "shift_px": -0.1, "sd_px": 0.6, "jitter_px": 0.8, "unless": ["incomplete"]},
        "spurious": {"rate": 0.06, "given": {"area": -0.5}, "draw": "bernoulli"},
        "split": {"rate": 0.02, "draw": "bernoulli"},
        "merged": {"rate": 0.02, "draw": "bernoulli"},
    },
    # half of the events missed, nearly all of the dimmest quarter, hardly any of the brightest; nothing extra
    "conservative": {
        "missed": {"rate": 0.54, "given": {"contrast": -4.0, "area": -1.8}, "draw": "bernoulli", "image_sd": 0.6},
        "incomplete": {"rate": 0.10, "draw": "bernoulli"},
        "boundary": {"rate": 1.0, "shift_px": -0.4, "sd_px": 0.7, "jitter_px": 0.8, "unless": ["incomplete"]},
        "split": {"rate": 0.04, "draw": "bernoulli"},
    },
    # nothing missed, a third of the labels are extra
    "liberal": {
        "spurious": {"rate": 0.50, "given": {"area": -0.4}, "draw": "bernoulli", "image_sd": 0.3},
        "boundary": {"rate": 1.0, "shift_px": -0.2, "sd_px": 0.6, "jitter_px": 0.75},
        "split": {"rate": 0.02, "draw": "bernoulli"},
    },
}

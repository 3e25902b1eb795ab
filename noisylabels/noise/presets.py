"""Presets: noise models of annotators and of the paper's pipeline, as plain data.

The annotators are those of Segebarth et al. 2020 (doi:10.7554/eLife.59780) as `benchmarks/experts.py` measures them
against the fused truth; `cip-lcsb` follows the conventional pipeline's errors on simulated Rosella fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from noisylabels.data.errors import InputError
from noisylabels.data.keys import combine_keys, normals
from noisylabels.data.labels import ClassTable
from noisylabels.noise.calibration.profile import Profile
from noisylabels.noise.calibration.synthesis import synthesise
from noisylabels.noise.kinds import Kind
from noisylabels.noise.kinds.boundary import Boundary
from noisylabels.noise.model import NoiseModel

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
    # The paper's pipeline. Misses, outlines, spurious and merged events: `noisylabels simulate`, `cip` (the preset
    # lcsb-rosella-lc3-2017) and `calibrate` on 24 fields. Swaps and the images' own effect: the same on five planes.
    # Spurious events lie in bright places and along edges, and there are fewer of them where more is missed.
    "cip-lcsb": {
        "missed": [
            {
                "rate": {"phagophore": 0.29},
                "given": {"contrast": -0.7, "area": -0.7, "border_distance_px": -0.4},
                "draw": "bernoulli",
                "image_sd": 0.5,
            },
            {
                "rate": {"autolysosome": 0.19},
                "given": {"contrast": -0.8, "area": -0.3, "border_distance_px": -0.3},
                "draw": "bernoulli",
                "image_sd": 0.5,
            },
        ],
        "misclassified": {"transition": [[0.88, 0.12], [0.04, 0.96]], "draw": "bernoulli", "image_sd": 0.3},
        "boundary": [
            {"rate": {"phagophore": 1.0}, "shift_px": 0.95, "sd_px": 0.6, "jitter_px": 0.4},
            {"rate": {"autolysosome": 1.0}, "shift_px": 0.75, "sd_px": 0.6, "jitter_px": 0.4},
        ],
        "spurious": [
            {
                "rate": {"phagophore": 0.35},
                "given": {"area": 2.0},
                "draw": "bernoulli",
                "near": {"brightness": 2.0, "edge": 0.5},
            },
            {
                "rate": {"autolysosome": 0.25},
                "draw": "bernoulli",
                "image_sd": -0.3,
                "near": {"brightness": 1.4, "edge": 0.3},
            },
        ],
        "merged": {"rate": {"phagophore": 0.46, "autolysosome": 0.26}, "draw": "bernoulli"},
    },
}


def make_preset(name: str, classes: ClassTable, *, seed: int = 0) -> NoiseModel:
    """Make the noise model of a preset.

    Args:
        name: One of `PRESETS`.
        classes: The class table of the label maps. `cip-lcsb` needs a phagophore and an autolysosome.
        seed: The noise seed.

    Raises:
        InputError: If there is no such preset, or its classes are not in the table.

    Examples:
        >>> make_preset("strict", ClassTable(("background", "nucleus")))
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: A preset must be one of ['careful', 'conservative', 'liberal', \
'cip-lcsb'], got 'strict'. Use one of them, or write a noise model to a file.
    """
    if name not in PRESETS:
        msg = (
            f"A preset must be one of {list(PRESETS)}, got {name!r}. Use one of them, or write a noise model to a file."
        )
        raise InputError(msg)
    return NoiseModel.from_dict({"classes": list(classes), "seed": seed, **PRESETS[name]})


def load_noise(source: str, classes: ClassTable, *, seed: int | None = None) -> NoiseModel:
    """Find a noise model by preset name, profile or model file.

    Args:
        source: A preset's name, or the path of a profile (JSON of `noisylabels calibrate`) or of a noise model (YAML or
            JSON).
        classes: The class table, for presets and for model files that name no classes.
        seed: The noise seed instead of the file's own.

    Raises:
        InputError: If it is neither, or the file is wrong.
    """
    path = Path(source)
    if source in PRESETS or not path.suffix:
        model = make_preset(source, classes)
    elif path.suffix == ".json" and '"summary"' in path.read_text(encoding="utf-8"):
        model = synthesise(Profile.read(path))
    else:
        model = NoiseModel.read(path, classes=classes)
    return model if seed is None else model.with_seed(seed)


def as_annotator(model: NoiseModel, name: str, *, severity_sd: float = 0.5, shift_sd_px: float = 0.5) -> NoiseModel:
    """Turn a model of annotators in general into one person: more or less severe, drawing larger or smaller.

    Args:
        model: The noise model.
        name: The person; with the model's seed it decides the draws.
        severity_sd: Standard deviation between persons, in logits, of what is added to every rate.
        shift_sd_px: Standard deviation between persons of what is added to every boundary shift.

    Examples:
        >>> general = NoiseModel.from_dict({"missed": {"rate": 0.1}})
        >>> as_annotator(general, "anna").errors == as_annotator(general, "anna").errors
        True
        >>> as_annotator(general, "anna").errors == as_annotator(general, "ben").errors
        False
    """
    key = combine_keys(model.seed, "annotator", name)
    severity = severity_sd * float(normals(combine_keys(key, "severity")))
    shift = shift_sd_px * float(normals(combine_keys(key, "shift")))
    return replace(model, errors=tuple(_biased(kind, severity, shift) for kind in model.errors))


def _biased(kind: Kind, severity: float, shift_px: float) -> Kind:
    dose = replace(kind.dose, severity=kind.dose.severity + severity)
    if not isinstance(kind, Boundary):
        return cast("Kind", replace(cast("Any", kind), dose=dose))
    own = kind.shift_px
    moved = [part + shift_px for part in own] if isinstance(own, Sequence) else own + shift_px
    return replace(kind, dose=dose, shift_px=moved)

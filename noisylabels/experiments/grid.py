"""The grid: one row per training, each with an id of its own."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from noisylabels.data.errors import InputError
from noisylabels.data.hashes import hash_bytes, hash_named_files
from noisylabels.experiments.declaration import CLEAN, LABELS, SEEDS, Declaration, noise_at

ROOMS = ("noisylabels", "evaluation")


@dataclass(frozen=True)
class Run:
    """One training of the grid.

    Args:
        noise: Name of the noise, "clean" at dose 0.
        dose: The dose.
        method: Name of the method.
        n_train: How many training fields; None for all.
        noise_seed: Seed of the label errors.
        weights_seed: Seed of the initial weights.
        order_seed: Seed of the order of the fields and their augmentation.
        split_seed: Seed of which training fields are taken.
    """

    noise: str
    dose: float
    method: str
    n_train: int | None
    noise_seed: int
    weights_seed: int
    order_seed: int
    split_seed: int

    def labels_key(self) -> dict[str, object]:
        """What the training labels depend on: runs that agree in it share their corrupted labels."""
        keys = ("noise", "dose", "noise_seed", "n_train", "split_seed")
        return {key: value for key, value in asdict(self).items() if key in keys}


def list_runs(declaration: Declaration) -> list[Run]:
    """Expand a declaration into its runs, in a fixed order.

    At dose 0 every noise is the same: those runs are "clean", once for all noises and noise seeds.

    Raises:
        InputError: If seeds to be gone through side by side differ in number.
    """
    seeds = [declaration.seeds[name] for name in SEEDS]
    if not declaration.crossed and len({len(levels) for levels in seeds if len(levels) > 1}) > 1:
        msg = f"Seeds side by side must be equally many, got {[len(levels) for levels in seeds]}. Cross them instead."
        raise InputError(msg)
    longest = max(len(levels) for levels in seeds)
    draws = (
        itertools.product(*seeds) if declaration.crossed else zip(*(_stretched(s, longest) for s in seeds), strict=True)
    )
    runs = dict.fromkeys(
        _run(noise, declaration.noise[noise], float(dose), method, n_train, draw)
        for draw in draws
        for noise in declaration.grid["noise"]
        for n_train, dose, method in itertools.product(*declaration.levels_of(noise).values())
    )
    return list(runs)


def _run(noise: str, recipe: object, dose: float, method: str, n_train: int | None, draw: Sequence[int]) -> Run:
    noise_seed, weights, order, split = draw
    if dose == 0:
        return Run(CLEAN, 0.0, method, n_train, 0, weights, order, split)
    if isinstance(recipe, str):  # it has a dose of its own, and labels as they are have no seed either
        return Run(noise, 1.0, method, n_train, 0 if recipe.startswith(LABELS) else noise_seed, weights, order, split)
    return Run(noise, dose, method, n_train, noise_seed, weights, order, split)


def _stretched(levels: Sequence[int], length: int) -> Sequence[int]:
    return list(levels) * length if len(levels) == 1 else levels


def recipe_of(run: Run, declaration: Declaration) -> dict[str, object]:
    """Write down all that decides a run's result, as plain data."""
    noise = declaration.noise.get(run.noise)
    # Named only where it is asked for: recipes from before there was such a choice keep their run_id.
    steps = {"steps_of": declaration.largest_set() or "all"} if declaration.equal_steps else {}
    return {
        "run": asdict(run),
        "noise": noise_at(noise, run.dose),
        "method": asdict(declaration.methods[run.method]),
        "bundle": declaration.bundle,
        "preset": list(declaration.preset),
        "overrides": dict(declaration.overrides),
        "validation": declaration.validation,
        "data": {key: value for key, value in asdict(declaration.data).items() if key != "root"},
        **steps,
    }


def identify(recipe: Mapping[str, object], *, data: str, code: str) -> str:
    """Identify a run by the hash of its recipe, its data and the code: 16 hexadecimal digits.

    Examples:
        >>> identify({"a": 1}, data="d", code="c") == identify({"a": 1}, data="d", code="c")
        True
    """
    text = json.dumps([recipe, data, code], sort_keys=True)
    return hash_bytes(text.encode())[:16]


def hash_sources() -> str:
    """Return the hash of the source of the rooms and bundles that a run goes through; written beside its result.

    The id of a run has the package's version instead: a changed comment shall not cost a night of training. The
    report says when the runs of a grid were made by different sources.
    """
    root = Path(__file__).parent.parent
    places = [root / room for room in ROOMS] + [root / "bundles", root / "noisylabels" / "bundles"]
    found = (path for place in places for path in place.rglob("*") if path.suffix in (".py", ".yaml"))
    return hash_named_files(found, root)[:16]


def hash_folder(folder: Path, patterns: Sequence[str]) -> str:
    """Return the hash of the names and bytes of a folder's files."""
    found = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
    return hash_named_files(found, folder)[:16]

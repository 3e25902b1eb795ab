"""Allocation: who rates which image, in which order, with which method on which side. Drawn once, before any score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noisylabels.data.errors import InputError


@dataclass(frozen=True)
class StudySettings:
    """A blinded comparison of two methods. The defaults are the paper's design.

    Args:
        methods: Two label sets of the dataset folder.
        n_images: Images that count.
        n_subsets: Parts the images are cut in; each rater sees one. Must divide the images and the raters.
        n_training: Images shown first, to every rater, that do not count.
        repeat_share: Hidden repeats per image that counts, in [0, 1].
        repeat_gap: Trials between an image and its repeat, at least (fewer where the study is shorter).

    Raises:
        InputError: If one of these does not hold.
    """

    methods: tuple[str, str] = ("cip", "cdl")
    n_images: int = 40
    n_subsets: int = 2
    n_training: int = 3
    repeat_share: float = 0.1
    repeat_gap: int = 5

    def __post_init__(self) -> None:
        if len(self.methods) != 2 or self.methods[0] == self.methods[1]:
            msg = f"methods must be two different label sets, got {self.methods}. Name the two to compare."
            raise InputError(msg)
        if self.n_subsets < 1 or self.n_images < 1 or self.n_images % self.n_subsets:
            msg = f"n_images must be a multiple of n_subsets, got {self.n_images} and {self.n_subsets}. Change one."
            raise InputError(msg)
        if self.n_training < 0 or self.repeat_gap < 0 or not 0 <= self.repeat_share <= 1:
            msg = (
                "n_training and repeat_gap must not be negative and repeat_share in [0, 1], got "
                f"{self.n_training}, {self.repeat_gap}, {self.repeat_share}. For 10 % write 0.1."
            )
            raise InputError(msg)


@dataclass(frozen=True)
class PlannedTrial:
    """One pair of label maps before one rater.

    Args:
        rater: Who sees it.
        number: The rater's n-th trial, from 1.
        block: "training", "main" or "repeat".
        subset: Which part of the images, from 1; 0 in training.
        image: Name of the field.
        left: The method on the left side.
        right: The method on the right side.
    """

    rater: str
    number: int
    block: str
    subset: int
    image: str
    left: str
    right: str


def plan_trials(
    images: Sequence[str], raters: Sequence[str], settings: StudySettings, *, rng: np.random.Generator
) -> list[PlannedTrial]:
    """Draw the whole study.

    Images, their subsets, the raters' subsets and orders are drawn. In each rater's block each method is left as often
    as right (once more if their number is odd), and two raters of one image see it the other way round. Repeats are
    shown the other way round than first.

    Args:
        images: Fields to draw from; those not drawn are not shown.
        raters: Their names; each subset is seen by `len(raters) / n_subsets` of them.
        settings: The design.
        rng: Source of randomness; the same state gives the same plan.

    Returns:
        Every trial, rater by rater in the order they see them.

    Raises:
        InputError: If there are too few images, or the raters cannot be shared among the subsets.

    Examples:
        >>> plan = plan_trials([f"f{i}" for i in range(43)], ["anna", "ben", "cleo", "dan"], StudySettings(),
        ...                    rng=np.random.default_rng(0))
        >>> [sum(t.rater == "anna" and t.block == block for t in plan) for block in ("training", "main", "repeat")]
        [3, 20, 2]
        >>> sum(t.rater == "anna" and t.block == "main" and t.left == "cdl" for t in plan)
        10
    """
    _check(images, raters, settings)
    drawn = [images[index] for index in rng.permutation(len(images))]
    training, main = drawn[: settings.n_training], drawn[settings.n_training :][: settings.n_images]
    size = settings.n_images // settings.n_subsets
    seats = [raters[index] for index in rng.permutation(len(raters))]
    trials = []
    for subset in range(1, settings.n_subsets + 1):
        shown = main[(subset - 1) * size : subset * size]
        first_left = _balanced(size, rng)
        for place, rater in enumerate(seats[subset - 1 :: settings.n_subsets]):
            left = (first_left + place) % 2
            trials += _trials_of(rater, subset, training, dict(zip(shown, left.tolist(), strict=True)), settings, rng)
    return trials


def _trials_of(
    rater: str,
    subset: int,
    training: Sequence[str],
    sides: dict[str, int],
    settings: StudySettings,
    rng: np.random.Generator,
) -> list[PlannedTrial]:
    shown = [("training", 0, image, side) for image, side in zip(training, _balanced(len(training), rng), strict=True)]
    order = [list(sides)[index] for index in rng.permutation(len(sides))]
    main = [("main", subset, image, sides[image]) for image in order]
    gap = min(settings.repeat_gap, len(order) // 2)
    repeated = _draw_repeats(order[: len(order) - gap], sides, round(settings.repeat_share * len(order)), rng)
    for image in repeated:
        place = next(index for index, entry in enumerate(main) if entry[2] == image and entry[0] == "main")
        at = int(rng.integers(min(place + gap + 1, len(main)), len(main) + 1))
        main.insert(at, ("repeat", subset, image, 1 - sides[image]))
    return [
        PlannedTrial(rater, number, block, part, image, settings.methods[side], settings.methods[1 - side])
        for number, (block, part, image, side) in enumerate(shown + main, start=1)
    ]


def _draw_repeats(images: Sequence[str], sides: dict[str, int], n: int, rng: np.random.Generator) -> list[str]:
    """Draw images to repeat, alternately of either side, so that the repeats are balanced too."""
    shuffled = [images[index] for index in rng.permutation(len(images))]
    of_side: list[list[str]] = [[image for image in shuffled if sides[image] == side] for side in (0, 1)]
    first = int(rng.integers(2))
    drawn: list[str] = []
    while len(drawn) < n and any(of_side):
        side = (first + len(drawn)) % 2
        drawn.append((of_side[side] or of_side[1 - side]).pop())
    return drawn


def _balanced(n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw n sides, half of them 1; of an odd number the odd one is drawn."""
    sides = (np.arange(n) + rng.integers(2)) % 2
    return rng.permutation(sides)


def _check(images: Sequence[str], raters: Sequence[str], settings: StudySettings) -> None:
    needed = settings.n_images + settings.n_training
    if len(images) < needed:
        msg = (
            f"A study must have {needed} images with label maps of both methods ({settings.n_training} for training), "
            f"got {len(images)}. Lower n_images or make the missing label maps."
        )
        raise InputError(msg)
    if not raters or len(raters) % settings.n_subsets or len(set(raters)) < len(raters):
        msg = (
            f"Raters must be different people, a multiple of the {settings.n_subsets} subsets, got {list(raters)}. "
            "The paper has four raters and two subsets."
        )
        raise InputError(msg)

"""What an experiment declares: data, noise, methods, seeds and budget, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from noisylabels.data.errors import InputError

DOSE = "$dose"
DATA = "$data"
VALIDATIONS = ("clean", "noisy", "none")
FACTORS = ("noise", "dose", "method", "n_train")
WITHIN = ("n_train", "dose", "method")
"""Factors whose levels a noise may have of its own, outermost loop first."""
SEEDS = ("noise", "weights", "order", "split")
CLEAN = "clean"
LABELS = "labels:"
MAPPINGS = ("data", "noise", "grid", "only", "methods", "seeds", "overrides")
SOURCES = ("folder", "imported", "simulate", "toy")


@dataclass(frozen=True)
class Data:
    """Where fields and their truth come from: exactly one of a folder, an import, the simulator, or the toy.

    Args:
        folder: A dataset folder, relative to the declaration.
        imported: Arguments of `noisylabels import` (`noisylabels.experiments.imported`); paths relative to the
            working folder, or beginning with `$data`.
        simulate: Settings of `noisylabels simulate` (`noisylabels.experiments.simulated`).
        toy: Settings of the toy fields (`noisylabels.experiments.toy`).
        truth: The label set that is the truth.
        root: The folder that `$data` is, `--data` on the command line; where images lie decides no result.
    """

    folder: str | None = None
    imported: Mapping[str, Any] | None = None
    simulate: Mapping[str, Any] | None = None
    toy: Mapping[str, Any] | None = None
    truth: str = "truth"
    root: str | None = None

    def __post_init__(self) -> None:
        sources = [name for name in SOURCES if getattr(self, name) is not None]
        if len(sources) != 1:
            msg = f"data must name one of {', '.join(SOURCES)}, got {sources or 'none'}. Keep one of them."
            raise InputError(msg)


@dataclass(frozen=True)
class Method:
    """One way to learn from the labels.

    Args:
        preset: Config files of the bundle merged over its train config, by name.
        overrides: Config values by id.
        trusted: How many training fields come with the truth beside the noisy labels: for trusted mixing (`use: mix`),
            gold alone (`use: alone`), fine-tuning (`use: finetune`), a corrector that sees the noisy labels as further
            channels (`use: correct`), or to count transitions, one table (`use: transitions`) or one per bin of
            brightness and size (`use: appearance`).
        use: What the trusted fields are used for; None when there are none.
        threshold: "marginal" cuts P(event) by the marginal threshold found on the training fields; None: argmax.
    """

    preset: tuple[str, ...] = ()
    overrides: Mapping[str, Any] = field(default_factory=dict)
    trusted: int = 0
    use: str | None = None
    threshold: str | None = None

    def __post_init__(self) -> None:
        uses = (None, "mix", "alone", "finetune", "correct", "transitions", "appearance")
        if self.use not in uses or self.threshold not in (None, "marginal") or (self.use is None) != (not self.trusted):
            got = f"trusted={self.trusted}, use={self.use!r}, threshold={self.threshold!r}"
            names = ", ".join(str(use) for use in uses[1:])
            msg = f"A method must have trusted and use ({names}) together, got {got}. Set both."
            raise InputError(msg)


@dataclass(frozen=True)
class Declaration:
    """A grid of trainings that differ in declared factors only.

    Args:
        name: Short name; folders and titles carry it.
        question: What the experiment is to answer, one sentence.
        data: The fields and their truth.
        noise: By name: a noise model as plain data, in which "$dose" is the dose; a preset's name or path of
            a profile; or "labels:NAME" for the labels of that set as they are (a real pipeline, a real expert).
        grid: Levels by factor: noise, dose, method, n_train.
        only: By noise: its own levels of dose, method or n_train, in place of the grid's.
        methods: Methods by name.
        seeds: Levels of the named seeds: noise, weights, order, split.
        crossed: Cross the seeds (True) or go through them side by side (False).
        bundle: Which bundle trains.
        preset: Config files merged for every run.
        overrides: Config values for every run.
        validation: Labels that choose the best epoch: clean, noisy, or none: the last epoch counts, and the curves by
            epoch are against the truth, which then decides nothing.
        splits: A datalist.json whose split to use instead of the data's own; relative to the declaration.
        equal_steps: Whether runs with fewer training fields take as many steps as those with the most: more epochs, and
            the learning rate falls as slowly. Else sizes are compared at equal epochs, and the small ones learn less.
            Not with `use: mix`, whose epochs are longer.
        max_hours: Budget of compute; `run` stops before the run that would exceed it.
        margin: The loss in Dice below which a method does "no harm", in (0, 1).
    """

    name: str
    question: str
    data: Data
    noise: Mapping[str, Any]
    grid: Mapping[str, tuple[Any, ...]]
    methods: Mapping[str, Method]
    seeds: Mapping[str, tuple[int, ...]]
    only: Mapping[str, Mapping[str, tuple[Any, ...]]] = field(default_factory=dict)
    crossed: bool = True
    bundle: str = "cdl"
    preset: tuple[str, ...] = ()
    overrides: Mapping[str, Any] = field(default_factory=dict)
    validation: str = "clean"
    splits: str | None = None
    equal_steps: bool = False
    max_hours: float = 12.0
    margin: float = 0.02

    def levels_of(self, noise: str) -> dict[str, tuple[Any, ...]]:
        """Return the levels of n_train, dose and method that a noise is run at."""
        own = self.only.get(noise, {})
        return {factor: own.get(factor, self.grid[factor]) for factor in WITHIN}

    def largest_set(self) -> int | None:
        """Return the largest number of training fields in the grid; None for all there are."""
        sizes = [size for noise in self.grid["noise"] for size in self.levels_of(noise)["n_train"]]
        return None if None in sizes else max(int(size) for size in sizes)


def noise_at(recipe: object, dose: float) -> Any:
    """Put a dose into a noise recipe: "$dose" becomes the number, "-$dose" its negative.

    Examples:
        >>> noise_at({"missed": {"rate": "$dose"}, "boundary": {"shift_px": "-$dose"}}, 0.5)
        {'missed': {'rate': 0.5}, 'boundary': {'shift_px': -0.5}}
    """
    if isinstance(recipe, Mapping):
        return {key: noise_at(value, dose) for key, value in recipe.items()}
    if isinstance(recipe, list):
        return [noise_at(value, dose) for value in recipe]
    if recipe in (DOSE, f"-{DOSE}"):
        return dose if recipe == DOSE else -dose
    return recipe

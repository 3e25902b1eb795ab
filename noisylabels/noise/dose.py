"""Dose: how many events an error strikes, and which. The two are independent of each other."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable, needs_image
from noisylabels.data.keys import Keys, combine_keys, normals, uniforms
from noisylabels.data.labels import ClassTable

Floats = NDArray[np.float64]
Selection = NDArray[np.bool_]

DRAWS = ("exact", "bernoulli")
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
WEIGHTS = WEIGHTS / WEIGHTS.sum()

BASIC_FEATURES = ("area", "area_px", "centroid_row", "centroid_column", "border_distance_px", "crowding", "solidity")
APPEARANCE = ("brightness", "contrast", "mean_<channel>", "max_<channel>", "contrast_<channel>")


@dataclass(frozen=True)
class Dose:
    """How many of the events an error strikes (`rate`) and which ones (`given`).

    Each event gets the score logit(u) - w.z, where u is its own uniform draw and z its z-scored features; the events
    of lowest score are struck. That is a logistic model, P(struck) = expit(a + w.z), whose intercept a is solved so
    that the expected share equals the rate; and because a higher rate only moves the bar, doses are nested: an event
    missed at 10 % is missed at 30 %.

    Args:
        rate: Share of the events that are struck, in [0, 1]: one number for all, or one per class name (classes not
            named are left alone).
        given: Logistic weight by feature name, per standard deviation of the feature. Empty: no event is favoured.
            `area` enters as its logarithm, as sizes are skewed.
        draw: `exact` strikes rate x n events of each image, the fraction left over rounded up with its own
            probability; `bernoulli` strikes each event by itself.
        image_sd: Standard deviation, in logits, of the image's own effect on the rate. All errors of a model share one
            draw per image, so a bad field is bad in every respect; a negative value turns it round for this error. The
            rate averaged over images stays `rate`.
        severity: Logits added to the rate: an annotator's bias.
        reference: Mean and standard deviation by feature name to take z-scores with; those of the image when empty.
        intercept: A calibrated intercept, used instead of solving one for `rate`; needs `reference`.
        sizes_px: Smallest area and the area above the largest of the events that can be struck; others are not counted.
        unless: Error kinds that rule this one out: an event struck by one of them is not eligible. Kinds that come
            later in the order of striking have no effect.

    Raises:
        InputError: If a number is outside its range or a feature name is unknown.

    Examples:
        >>> Dose(rate=1.5)
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: rate must be in [0, 1], got 1.5. For 5 % write 0.05.
    """

    rate: float | Mapping[str, float]
    given: Mapping[str, float] = field(default_factory=dict)
    draw: str = "exact"
    image_sd: float = 0.0
    severity: float = 0.0
    reference: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    intercept: float | None = None
    sizes_px: tuple[float, float] | None = None
    unless: Sequence[str] = ()

    def __post_init__(self) -> None:
        for rate in self.rate.values() if isinstance(self.rate, Mapping) else [self.rate]:
            check_rate(rate)
        if self.draw not in DRAWS:
            msg = (
                f"draw must be one of {list(DRAWS)}, "
                f"got {self.draw!r}. Use 'exact' for a share that holds in every image."
            )
            raise InputError(msg)
        for number in ("image_sd", "severity", *(() if self.intercept is None else ("intercept",))):
            _check_number(getattr(self, number), number)
        for name, weight in self.given.items():
            _check_number(weight, f"given of {name}")
            if name not in BASIC_FEATURES and not needs_image(name):
                msg = (
                    f"A feature of `given` must be one of {[*BASIC_FEATURES, *APPEARANCE]}, "
                    f"got {name!r}. Use one of them."
                )
                raise InputError(msg)
        if self.intercept is not None and set(self.given) - set(self.reference):
            msg = (
                f"reference must cover {sorted(self.given)} when an intercept is given, "
                f"got {sorted(self.reference)}. Add them."
            )
            raise InputError(msg)

        if self.sizes_px is not None and not self.sizes_px[0] < self.sizes_px[1]:
            msg = f"sizes_px must be a smallest and a larger area, got {self.sizes_px}. The second is left out."
            raise InputError(msg)

    @property
    def strata(self) -> dict[tuple[str, ...], float]:
        """Rates by the class names that share one; the empty tuple stands for all classes."""
        return (
            {(name,): rate for name, rate in self.rate.items()} if isinstance(self.rate, Mapping) else {(): self.rate}
        )


def check_rate(rate: object, name: str = "rate") -> None:
    """Refuse what is not a probability.

    Raises:
        InputError: If `rate` is no number in [0, 1].
    """
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
        msg = f"{name} must be in [0, 1], got {rate!r}. For 5 % write 0.05."
        raise InputError(msg)


def _check_number(value: object, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        msg = f"{name} must be a finite number, got {value!r}. Give logits, for instance -1.5."
        raise InputError(msg)


def choose_events(
    dose: Dose,
    table: EventTable,
    classes: ClassTable,
    *,
    eligible: Selection,
    event_keys: Keys,
    image_key: Keys,
    kind: str,
) -> NDArray[np.int64]:
    """Choose the events that an error of `kind` strikes.

    Args:
        dose: How many and which.
        table: The image's events and the features `given` names.
        classes: The class table, for rates by class.
        eligible: (event,) which events can be struck at all; the rate is a share of these.
        event_keys: (event,) keys.
        image_key: The image's key.
        kind: Name of the error kind; other kinds choose independently.

    Returns:
        Positions of the struck events in the table, by score: a higher rate only adds to the end, so that an error
        which has to give way to another of its kind gives way to it at every rate.
    """
    struck = np.zeros(len(table), bool)
    order = np.zeros(len(table))
    scores = logit(uniforms(combine_keys(event_keys, kind, "struck")))
    effect = dose.image_sd * float(normals(combine_keys(image_key, "effect")))
    for names, rate in dose.strata.items():
        members = eligible & can_strike(dose, table, classes, names)
        leaning = _leaning(dose, table, members)
        shift = float(uniforms(combine_keys(image_key, kind, "rounding", *names)))
        order[members] = scores[members] - leaning
        struck[members] = _lowest(dose, order[members], leaning, rate, effect=effect, rounding=shift)
    chosen = np.flatnonzero(struck)
    return chosen[np.argsort(order[chosen], kind="stable")]


def can_strike(dose: Dose, table: EventTable, classes: ClassTable, names: Collection[str]) -> Selection:
    """Return which events are of the named classes (all of them if none is named) and of the dose's sizes."""
    among = np.isin(table["class_index"], [classes.index(name) for name in names or classes.foreground])
    if dose.sizes_px is not None:
        among &= (table["area_px"] >= dose.sizes_px[0]) & (table["area_px"] < dose.sizes_px[1])
    return among


def shifted_rate(rate: float, effect: float, sd: float) -> float:
    """Move a rate by an image's effect so that its mean over images stays the rate.

    Args:
        rate: The mean over images, in [0, 1].
        effect: The image's draw, in logits.
        sd: Standard deviation of such draws, in logits.

    Examples:
        >>> shifted_rate(0.3, 0.0, 0.0)
        0.3
        >>> effects = np.random.default_rng(0).normal(0, 1.5, 100_000)
        >>> round(float(np.mean([shifted_rate(0.3, effect, 1.5) for effect in effects[:300]])), 1)
        0.3
    """
    if sd == 0 or not 0 < rate < 1:
        return rate
    return float(expit(_solve(lambda a: float(WEIGHTS @ expit(a + sd * NODES)), rate, reach=40 + 10 * sd) + effect))


def solve_intercept(leaning: Floats, rate: float, *, weights: Floats | None = None) -> float:
    """Find the intercept a with mean(expit(a + leaning)) = rate.

    Args:
        leaning: (event,) w.z of each event.
        rate: In (0, 1).
        weights: (event,) weights of the mean that sum to 1; equal when left out.
    """
    shares = np.full(len(leaning), 1 / len(leaning)) if weights is None else weights
    return _solve(lambda a: float(shares @ expit(a + leaning)), rate, reach=40 + float(np.abs(leaning).max()))


def feature_values(table: EventTable, name: str) -> Floats:
    """Return a feature as `given` uses it: the column of that name, or the logarithm of the area for `area`.

    Raises:
        InputError: If the table has no such column.
    """
    if name == "area":
        logs: Floats = np.log(np.maximum(table["area_px"], 1).astype(np.float64))
        return logs
    if name not in table:
        why = (
            "needs the image, got none. Pass the image" if needs_image(name) else f"is unknown; there are {list(table)}"
        )
        msg = f"Feature {name!r} {why}, or use one of {list(BASIC_FEATURES)}."
        raise InputError(msg)
    values: Floats = table[name].astype(np.float64)
    return values


def _leaning(dose: Dose, table: EventTable, members: Selection) -> Floats:
    total = np.zeros(int(members.sum()))
    for name, weight in dose.given.items():
        values = feature_values(table, name)[members]
        mean, sd = dose.reference.get(name) or (
            values.mean() if len(values) else 0.0,
            values.std() if len(values) else 0.0,
        )
        total += weight * (values - mean) / (sd if sd > 0 else 1.0)
    return total


def _lowest(dose: Dose, scores: Floats, leaning: Floats, rate: float, *, effect: float, rounding: float) -> Selection:
    if len(scores) == 0:
        return np.zeros(0, bool)
    if dose.intercept is not None:
        return scores < dose.intercept + dose.severity + effect
    if not 0 < rate < 1:
        return np.full(len(scores), rate == 1)
    wanted = shifted_rate(float(expit(logit(rate) + dose.severity)), effect, abs(dose.image_sd))
    if not 0 < wanted < 1:  # so sure that no float lies between
        return np.full(len(scores), wanted == 1)
    if dose.draw == "bernoulli":
        return scores < solve_intercept(leaning, wanted)
    n_struck = int(np.floor(round(wanted * len(scores), 9) + rounding))
    struck = np.zeros(len(scores), bool)
    struck[np.argsort(scores, kind="stable")[:n_struck]] = True
    return struck


def _solve(mean_at: Callable[[float], float], rate: float, *, reach: float) -> float:
    reach += abs(float(logit(rate)))
    return float(brentq(lambda a: mean_at(a) - rate, -reach, reach, xtol=1e-10))

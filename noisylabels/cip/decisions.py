"""Step 14: which phase each vesicle is in."""

import numpy as np
from numpy.typing import NDArray

from noisylabels.cip.settings import Decisions, Vesicles
from noisylabels.data.events import EventTable
from noisylabels.data.labels import ROSELLA_PHASES

ORDER = ("autophagosome", "phagophore", "autolysosome", "early autolysosome")
"""The order in which the phases are tested; "autolysosome" is the late one."""


def decide_phases(vesicles: EventTable, settings: Decisions, shape: Vesicles) -> EventTable:
    """Test each vesicle for each phase and choose one.

    Args:
        vesicles: What `measure_vesicles` returns. Not modified.
        settings: The tests, and what happens when several hold.
        shape: What counts as non-circular.

    Returns:
        The table with columns `is_<phase>` (the test alone), `n_phases` (how many tests hold), `class_index` (of
        ROSELLA_PHASES; 0: no test holds, the vesicle is unclassified), `non_circular` and `low_ph`.

    Examples:
        >>> row = dict(red_share=0.9, green_share=0.8, median_ratio=2.5, bright_red=1.0, bright_green=1.0,
        ...            green_centre=9.0, green_perimeter=8.0, green_outside=8.0, touches_low_ph=False,
        ...            touches_autophagosome=False, eccentricity=0.3)
        >>> table = EventTable({name: np.array([value]) for name, value in row.items()})
        >>> decided = decide_phases(table, Decisions(), Vesicles())
        >>> ROSELLA_PHASES.names[decided["class_index"][0]]
        'phagophore'
    """
    tests = phase_tests(vesicles, settings, shape)
    return vesicles.joined(
        **{f"is_{name.replace(' ', '_')}": holds for name, holds in tests.items()},
        n_phases=np.sum(list(tests.values()), axis=0),
        class_index=choose_phase(tests, settings),
        non_circular=_non_circular(vesicles, shape),
        low_ph=(tests["autophagosome"] & ~_non_circular(vesicles, shape))
        | (vesicles["median_ratio"] < settings.neutral_ratio),
    )


def phase_tests(vesicles: EventTable, settings: Decisions, shape: Vesicles) -> dict[str, NDArray[np.bool_]]:
    """Apply the original's tests, clause by clause, in its order.

    Two clauses are not guarded by what was decided before: "green centre brighter than outside" (phagophore) and
    "green centre not brighter than perimeter" (autolysosome). So several tests may hold for one vesicle, or none.

    Returns:
        (vesicle,) booleans by phase, in the order of `ORDER`.
    """
    red, green = vesicles["red_share"], vesicles["green_share"]
    ratio, acid = vesicles["median_ratio"], vesicles["touches_low_ph"]
    centre, perimeter = vesicles["green_centre"], vesicles["green_perimeter"]
    is_red = red > settings.red_share

    autophagosome = vesicles["touches_autophagosome"] & ~_non_circular(vesicles, shape)
    may_be = ~autophagosome & ~acid
    both = (green > settings.green_share) & is_red & (ratio >= settings.neutral_ratio)
    bright = (vesicles["bright_green"] > settings.bright_green) & (vesicles["bright_red"] > settings.bright_red)
    peaked = centre > settings.centre_over_outside * vesicles["green_outside"]
    phagophore = (both & may_be) | (bright & may_be) | peaked

    rest = ~autophagosome & ~phagophore
    only_red = is_red & (green < settings.late_green_share_below)
    hollow = centre <= perimeter
    late = (only_red & rest) | ((ratio <= settings.neutral_ratio) & rest) | hollow

    rest = rest & ~late
    early = (is_red & (green <= settings.green_share) & rest) | acid
    return dict(zip(ORDER, (autophagosome, phagophore, late, early), strict=True))


def choose_phase(tests: dict[str, NDArray[np.bool_]], settings: Decisions) -> NDArray[np.uint8]:
    """Choose one phase of those whose test holds.

    Returns:
        (vesicle,) class indices of ROSELLA_PHASES, 0 where no test holds.

    Examples:
        >>> tests = {"phagophore": np.array([True, False]), "autolysosome": np.array([True, False])}
        >>> choose_phase(tests, Decisions(overlap="first")), choose_phase(tests, Decisions(overlap="last"))
        (array([1, 0], dtype=uint8), array([4, 0], dtype=uint8))
    """
    names = list(tests) if settings.overlap == "last" else list(tests)[::-1]
    chosen = np.zeros(len(next(iter(tests.values()))), np.uint8)
    for name in names:
        chosen = np.where(tests[name], np.uint8(ROSELLA_PHASES.index(name)), chosen)
    return chosen


def _non_circular(vesicles: EventTable, shape: Vesicles) -> NDArray[np.bool_]:
    return np.asarray(vesicles["eccentricity"] > shape.eccentricity_above)

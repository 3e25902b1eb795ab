"""Splits into training, validation and test that never cut a group."""

from collections.abc import Sequence

import numpy as np

from noisylabels.data.errors import InputError

SPLITS = ("training", "validation", "test")


def split_groups(groups: Sequence[str], fractions: tuple[float, float, float], *, seed: int) -> list[str]:
    """Assign every case a split, so that cases of one group share it.

    Groups are put in random order and dealt out whole; each split's share of the *cases* comes as near to its
    fraction as whole groups allow, and a split with a positive fraction gets at least one group.

    Args:
        groups: One group name per case.
        fractions: Shares of training, validation and test; they sum to 1. The paper's CDL: (0.85, 0.1, 0.05).
        seed: Same seed, same split, whatever the order of the cases.

    Returns:
        "training", "validation" or "test" per case.

    Raises:
        InputError: If the fractions do not sum to 1, or there are fewer groups than splits to fill.

    Examples:
        >>> split_groups(["B02", "B02", "B03", "B04"], (0.5, 0.25, 0.25), seed=0)
        ['training', 'training', 'validation', 'test']
    """
    if min(fractions) < 0 or not np.isclose(sum(fractions), 1):
        msg = f"Fractions of a split must be positive and sum to 1, got {fractions}. For 85 % write 0.85."
        raise InputError(msg)
    names, sizes = np.unique(np.asarray(groups, str), return_counts=True)
    n_needed = sum(fraction > 0 for fraction in fractions)
    if len(names) < n_needed:
        msg = f"There must be at least {n_needed} groups to split, got {len(names)}. Add wells or set a fraction to 0."
        raise InputError(msg)
    order = np.lexsort((np.random.default_rng(seed).permutation(len(names)), -sizes))
    split_of = _deal([(str(names[i]), int(sizes[i])) for i in order], fractions)
    return [split_of[group] for group in groups]


def _deal(groups: list[tuple[str, int]], fractions: tuple[float, float, float]) -> dict[str, str]:
    total = sum(size for _, size in groups)
    wanted = np.array(fractions) * total
    given = np.zeros(3)
    split_of = {}
    for n_left, (name, size) in zip(range(len(groups), 0, -1), groups, strict=True):
        empty = (wanted > 0) & (given == 0)
        # Largest groups first, each to the split that lacks most; the last groups go to splits still empty.
        lack = np.where(empty | (n_left > empty.sum()), wanted - given, -np.inf)
        chosen = int(np.argmax(np.where(wanted > 0, lack, -np.inf)))
        given[chosen] += size
        split_of[name] = SPLITS[chosen]
    return split_of

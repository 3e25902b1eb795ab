"""Places: where spurious events could lie, and what makes them lie where they do."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.special import logsumexp

from noisylabels.data.arrays import RealArray
from noisylabels.data.events import InstanceMap
from noisylabels.noise.kinds.spurious import N_PLACES, PLACES, place_maps

Floats = NDArray[np.float64]

N_SETS = 16
RIDGE = 1e-3
N_STEPS = 60
LARGEST_STEP = 1.0


def sample_places(instances: InstanceMap, image: RealArray, *, room_px: float) -> Floats:
    """Sample places as `Spurious` does: sets of 64 at random, of which those on or beside an event are no choice.

    Args:
        instances: (row, column) event ids.
        image: (channel, row, column) intensities.
        room_px: Radius of what has to fit between the events.

    Returns:
        (set, 64, place) z-scores in the order of `PLACES`, nan where an event is in the way. The same every time.
    """
    drawn = np.random.default_rng(0).random((2, N_SETS * N_PLACES))
    rows, columns = (drawn * np.array(instances.shape)[:, None]).astype(int)
    free = (
        np.ones(instances.shape, bool)
        if not instances.any()
        else ndi.distance_transform_edt(instances == 0) > (room_px + 1)
    )
    maps = place_maps(image)
    sampled: Floats = np.stack([maps[name][rows, columns] for name in PLACES], axis=-1)
    sampled[~free[rows, columns]] = np.nan
    return sampled.reshape(N_SETS, N_PLACES, len(PLACES))


def lean_to_places(sampled: Sequence[Floats], wanted: Floats, shares: Floats) -> Floats:
    """Find the weights with which `Spurious` chooses places whose mean z-scores are those wanted.

    The choice among a set is a softmax of the weighted z-scores; its mean is averaged over sets and fields, and solved
    for the weights by Newton's method. All places are weighed together, for bright places often are edges too.

    Args:
        sampled: Per field, (set, 64, place) z-scores as `sample_places` gives them.
        wanted: (place,) mean z-scores.
        shares: (field,) how many spurious events each field is expected to have.

    Returns:
        (place,) weights; 0 where no place is free.

    Examples:
        >>> places = np.random.default_rng(0).normal(size=(16, 64, 2))
        >>> lean_to_places([places], np.array([0.5, 0.0]), np.ones(1)).round(1)
        array([0.5, 0. ])
    """
    sets = [each[~np.isnan(each).all(axis=(1, 2))] for each in sampled]
    kept = [index for index, each in enumerate(sets) if len(each) and shares[index] > 0]
    weights = np.zeros(len(wanted))
    if not kept or np.isnan(wanted).any():
        return weights
    every = np.concatenate([sets[index] for index in kept])
    counts = np.concatenate([np.full(len(sets[index]), shares[index] / len(sets[index])) for index in kept])
    counts = counts / counts.sum()
    closed = np.isnan(every).any(axis=-1)
    every = np.where(closed[..., None], 0.0, every)
    for _ in range(N_STEPS):
        scores = np.where(closed, -np.inf, every @ weights)
        chance = np.exp(scores - logsumexp(scores, axis=1, keepdims=True))
        means = np.einsum("sp,spk->sk", chance, every)
        apart = every - means[:, None]
        spread = np.einsum("s,sp,spk,spl->kl", counts, chance, apart, apart) + RIDGE * np.eye(len(weights))
        step = np.linalg.solve(spread, wanted - counts @ means - RIDGE * weights)
        weights = weights + np.clip(step, -LARGEST_STEP, LARGEST_STEP)
        if np.abs(step).max() < 1e-6:
            break
    return weights

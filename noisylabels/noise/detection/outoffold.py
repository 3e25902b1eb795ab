"""Out of fold: predict every field by a model that was not trained on it, nor on its neighbours."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from noisylabels.data.errors import InputError
from noisylabels.data.keys import combine_keys

Model = TypeVar("Model")
Predicted = TypeVar("Predicted")


def assign_folds(groups: Sequence[str], *, n_folds: int = 5, seed: int = 0) -> list[int]:
    """Assign every field a fold; fields of one group (tiles of one frame, fields of one well) share theirs.

    Groups are dealt out in a random order that depends on their names and the seed, the largest first, each to the fold
    with the fewest fields.

    Args:
        groups: The group of each field.
        n_folds: Number of folds.
        seed: Same seed, same folds.

    Returns:
        The fold of each field, 0..`n_folds` - 1.

    Raises:
        InputError: If there are fewer groups than folds, or fewer than two folds.

    Examples:
        >>> folds = assign_folds(["a", "a", "b", "c"], n_folds=3)
        >>> folds[0] == folds[1], len(set(folds))
        (True, 3)
    """
    names = sorted(set(groups))
    if not 2 <= n_folds <= len(names):
        msg = f"n_folds must be 2 to the number of groups, {len(names)}, got {n_folds}. Use fewer folds or more fields."
        raise InputError(msg)
    sizes = Counter(groups)
    order = {name: int(combine_keys(seed, name)) for name in names}
    load = [0] * n_folds
    fold_of: dict[str, int] = {}
    for name in sorted(names, key=lambda name: (-sizes[name], order[name])):
        fold_of[name] = int(np.argmin(load))
        load[fold_of[name]] += sizes[name]
    return [fold_of[group] for group in groups]


def predict_out_of_fold(
    ids: Sequence[str],
    groups: Sequence[str],
    fit: Callable[[Sequence[str]], Model],
    predict: Callable[[Model, str], Predicted],
    *,
    n_folds: int = 5,
    seed: int = 0,
) -> Iterator[tuple[str, Predicted]]:
    """Train one model per fold on all other folds and predict the fold's fields with it.

    Args:
        ids: The fields.
        groups: The group of each.
        fit: Trains a model on the fields named.
        predict: Predicts one field with a model.
        n_folds: Number of folds, and of models.
        seed: Same seed, same folds.

    Yields:
        Each field with its prediction, fold after fold; one model lives at a time.
    """
    folds = assign_folds(list(groups), n_folds=n_folds, seed=seed)
    for fold in range(n_folds):
        model = fit([name for name, own in zip(ids, folds, strict=True) if own != fold])
        for name, own in zip(ids, folds, strict=True):
            if own == fold:
                yield name, predict(model, name)

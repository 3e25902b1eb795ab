"""Fuse label sets of one dataset: several runs of a pipeline, several tools or several experts vote, pixel by pixel."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.experts.consensus import Performance, estimate_performance, read_patterns
from noisylabels.data.dataset import Dataset
from noisylabels.data.errors import InputError
from noisylabels.data.events import label_events
from noisylabels.data.images import read_label_map, write_image, write_label_map
from noisylabels.data.labels import IGNORE_INDEX, LabelMap, set_aside
from noisylabels.noise.rules import Rule, Undecided


@dataclass(frozen=True)
class Vote:
    """How label maps are fused.

    Args:
        rule: `majority`: more than half of the maps name the class; `unanimity`: all; `at-least`: `votes` of them;
            `events`: an event of the first map stands if every other map confirms it, see `confirm_events`;
            `staple` and `dawid-skene`: the most probable class, given how well each label set does all over the
            dataset, with the class shares held at those of the maps (Warfield et al. 2004,
            doi:10.1109/TMI.2004.828354) or estimated too (Dawid and Skene 1979, doi:10.2307/2346806).
        votes: Of `at-least`.
        undecided: What a pixel becomes that no class gets by votes: background, or 255, from which nothing learns.

    Raises:
        InputError: If `votes` is missing, or given with another rule.
    """

    rule: Rule = "majority"
    votes: int | None = None
    undecided: Undecided = "background"

    def __post_init__(self) -> None:
        if (self.rule == "at-least") != (self.votes is not None):
            got = f"{self.votes} with {self.rule}"
            msg = f"--votes must come with the rule at-least and no other, got {got}. Write --rule at-least --votes 6."
            raise InputError(msg)

    def needed(self, n_maps: int) -> int:
        """Return how many votes a class needs.

        Raises:
            InputError: If there are not so many maps.

        Examples:
            >>> Vote().needed(7), Vote("unanimity").needed(7)
            (4, 7)
        """
        needed = {"majority": n_maps // 2 + 1, "unanimity": n_maps}.get(self.rule, self.votes or 1)
        if not n_maps // 2 < needed <= n_maps:
            low = n_maps // 2 + 1
            msg = f"--votes must be from {low} to {n_maps} for {n_maps} label sets, got {needed}. Correct it."
            raise InputError(msg)
        return needed


def count_votes(label_maps: Sequence[LabelMap], *, n_classes: int) -> NDArray[np.uint8]:
    """Count how many label maps give each class to each pixel; ignored pixels (255) do not vote.

    Args:
        label_maps: At least two (row, column) maps of one size. Not modified.
        n_classes: C.

    Returns:
        (class, row, column) numbers of votes.

    Raises:
        InputError: If there are fewer than two, or their sizes differ.

    Examples:
        >>> count_votes([np.array([[0, 1]]), np.array([[0, 255]])], n_classes=2)[:, 0].tolist()
        [[2, 0], [0, 1]]
    """
    _check_maps(label_maps)
    stack = np.stack(label_maps)
    return np.stack([(stack == index).sum(0) for index in range(n_classes)]).astype(np.uint8)


def _check_maps(label_maps: Sequence[LabelMap]) -> None:
    if len(label_maps) < 2:
        msg = f"There must be at least two label sets to fuse, got {len(label_maps)}. Name more."
        raise InputError(msg)
    shapes = sorted({label_map.shape for label_map in label_maps})
    if len(shapes) > 1:
        msg = f"Label maps of one field must have one size, got {' and '.join(map(str, shapes))}. Pair them by field."
        raise InputError(msg)


def fuse_maps(label_maps: Sequence[LabelMap], vote: Vote, *, n_classes: int) -> LabelMap:
    """Fuse the label maps of one field by counting votes.

    Args:
        label_maps: At least two (row, column) maps of one size. Not modified.
        vote: A rule of votes: majority, unanimity, at-least or events.
        n_classes: C.

    Returns:
        (row, column) uint8 class indices; 255 where undecided pixels are ignored.

    Raises:
        InputError: See `count_votes` and `Vote.needed`.

    Examples:
        >>> maps = [np.array([[0, 1, 1]]), np.array([[0, 1, 2]]), np.array([[0, 0, 0]])]
        >>> fuse_maps(maps, Vote(undecided="ignore"), n_classes=3)
        array([[  0,   1, 255]], dtype=uint8)
    """
    if vote.rule == "events":
        return confirm_events(label_maps, undecided=vote.undecided)
    votes = count_votes(label_maps, n_classes=n_classes)
    won = votes.max(0) >= vote.needed(len(label_maps))
    return np.where(won, votes.argmax(0), IGNORE_INDEX if vote.undecided == "ignore" else 0).astype(np.uint8)


def confirm_events(label_maps: Sequence[LabelMap], *, undecided: Undecided = "ignore") -> LabelMap:
    """Keep the events of the first map that every other map confirms: a network of trusted fields as second voter.

    An event is confirmed by a map that gives its class to more than half of its pixels; it keeps the outline of the
    first map. An event of any map that is not confirmed, and what another map calls an event on background of the
    first, is undecided; so is a pixel that a map ignores (255).

    Args:
        label_maps: At least two (row, column) maps of one size. Not modified.
        undecided: What such events become: background, or 255, from which nothing learns.

    Returns:
        (row, column) uint8.

    Raises:
        InputError: See `count_votes`.

    Examples:
        >>> first, second = np.array([[1, 1, 1, 0, 2, 0, 0]]), np.array([[0, 1, 1, 0, 0, 0, 1]])
        >>> confirm_events([first, second])
        array([[  1,   1,   1,   0, 255,   0, 255]], dtype=uint8)
    """
    _check_maps(label_maps)
    first, ignored = set_aside(label_maps[0])
    instances, classes = label_events(first)
    areas = np.bincount(instances.ravel(), minlength=len(classes) + 1)
    confirmed = np.ones(len(classes) + 1, bool)
    claimed = np.zeros(first.shape, bool)
    for other in label_maps[1:]:
        same = np.bincount(instances[other == first], minlength=len(classes) + 1)
        confirmed[1:] &= 2 * same[1:] > areas[1:]
        theirs, theirs_ignored = set_aside(other)
        ignored |= theirs_ignored
        others, _ = label_events(theirs)
        met = np.unique(others[(others > 0) & (first == theirs)])
        claimed |= (others > 0) & ~np.isin(others, met)
    doubtful = (claimed & (first == 0)) | ~confirmed[instances]
    kept = np.where(doubtful, IGNORE_INDEX if undecided == "ignore" else 0, first)
    return np.where(ignored, IGNORE_INDEX, kept).astype(np.uint8)


def fuse_dataset(
    dataset: Dataset,
    names: Sequence[str],
    vote: Vote,
    *,
    name: str,
    save_votes: bool = False,
    on_field: Callable[[], object] = lambda: None,
) -> list[str]:
    """Fuse label sets of a dataset folder into a new one.

    Args:
        dataset: The dataset folder.
        names: Its label sets that vote, at least two, each once.
        vote: How.
        name: The label set to write; it must not be there yet.
        save_votes: Also write votes/<name>/<id>.ome.tif, (class, row, column) numbers of votes: soft labels.
        on_field: Called after each field.

    Returns:
        The ids of fields that were left out, because one of the label sets lacks them.

    Raises:
        InputError: If a label set is unknown, named twice or the only one, sizes differ, or `name` is there already.
            All sizes are compared before anything is written.
    """
    if len(names) < 2 or len(set(names)) < len(names):
        msg = f"There must be at least two different label sets to fuse, got {', '.join(names) or 'none'}. Name more."
        raise InputError(msg)
    for one in names:
        dataset.require_labels(one)
    if dataset.label_path(name, "x").parent.is_dir():
        msg = f"--name must be a new label set, got {name!r}, which {dataset.folder} has. Choose another name."
        raise InputError(msg)
    paths = {case_id: [dataset.label_path(one, case_id) for one in names] for case_id in dataset.ids()}
    left_out = [case_id for case_id, files in paths.items() if not all(path.is_file() for path in files)]
    kept = [case_id for case_id in dataset.ids() if case_id not in left_out]
    if not kept:
        msg = f"At least one field must have all of {', '.join(names)}, got none in {dataset.folder}. Label them first."
        raise InputError(msg)
    for case_id in kept:
        _compare_sizes(case_id, names, paths[case_id])
    n_classes = len(dataset.classes)
    learnt = vote.rule in ("staple", "dawid-skene")
    performance = _learn(dataset, names, kept, dawid_skene=vote.rule == "dawid-skene") if learnt else None
    for case_id in kept:
        maps = _read(dataset, names, case_id, keep_ignored=performance is None)
        fused = fuse_maps(maps, vote, n_classes=n_classes) if performance is None else performance.most_probable(maps)
        if save_votes:
            _write_votes(dataset.folder / "votes" / name / f"{case_id}.ome.tif", dataset, maps)
        write_label_map(dataset.label_path(name, case_id), fused)
        on_field()
    return left_out


def _compare_sizes(case_id: str, names: Sequence[str], files: Sequence[Path]) -> None:
    sizes = [read_label_map(path).shape for path in files]
    other = next((place for place, size in enumerate(sizes) if size != sizes[0]), None)
    if other is not None:
        msg = (
            f"Label maps of {case_id} must have one size, got {sizes[0]} in {names[0]} and {sizes[other]} in "
            f"{names[other]}. Pair them by field."
        )
        raise InputError(msg)


def _read(dataset: Dataset, names: Sequence[str], case_id: str, *, keep_ignored: bool) -> list[LabelMap]:
    ignored = IGNORE_INDEX if keep_ignored else None
    return [dataset.label_map(name, case_id, ignore_index=ignored) for name in names]


def _write_votes(path: Path, dataset: Dataset, maps: Sequence[LabelMap]) -> None:
    votes = count_votes(maps, n_classes=len(dataset.classes))
    write_image(path, votes, channel_names=tuple(dataset.classes), pixel_size_um=dataset.pixel_size_um)


def _learn(dataset: Dataset, names: Sequence[str], ids: Sequence[str], *, dawid_skene: bool) -> Performance:
    """Estimate how well each label set does from all fields at once: a field alone may lack a class."""
    n_classes = len(dataset.classes)
    counts: Counter[tuple[int, ...]] = Counter()
    for case_id in ids:
        patterns, _, found = read_patterns(_read(dataset, names, case_id, keep_ignored=False), n_classes=n_classes)
        for pattern, count in zip(patterns.tolist(), found.tolist(), strict=True):
            counts[tuple(pattern)] += int(count)
    table = np.array(sorted(counts))
    numbers = np.array([counts[tuple(pattern)] for pattern in table.tolist()], float)
    return estimate_performance(table, numbers, n_classes=n_classes, learn_prior=dawid_skene)

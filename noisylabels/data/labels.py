"""Label maps and the class table that gives their numbers a meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError

LabelMap = NDArray[np.uint8]

MAX_CLASSES = 255

IGNORE_INDEX = 255
"""The usual value of pixels that count for no class, in either direction; never a class index."""


@dataclass(frozen=True)
class ClassTable:
    """Class names by class index; index 0 is the background.

    Args:
        names: One name per class index, in order. At least two, at most 255, all different.

    Raises:
        InputError: If names repeat, are empty, or are fewer than two or more than 255.

    Examples:
        >>> table = ClassTable(("background", "phagophore", "autolysosome"))
        >>> table.index("autolysosome"), table.foreground, len(table)
        (2, ('phagophore', 'autolysosome'), 3)
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 2 <= len(self.names) <= MAX_CLASSES:
            msg = f"A class table must have 2 to {MAX_CLASSES} names, got {len(self.names)}. Name the background too."
            raise InputError(msg)
        if len(set(self.names)) != len(self.names) or not all(self.names):
            msg = f"Class names must differ and not be empty, got {list(self.names)}. Rename the repeated ones."
            raise InputError(msg)

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    @property
    def indices(self) -> range:
        """All class indices, background first."""
        return range(len(self.names))

    @property
    def foreground(self) -> tuple[str, ...]:
        """The names of every class but the background."""
        return self.names[1:]

    def index(self, name: str) -> int:
        """Return the class index of `name`.

        Raises:
            InputError: If the table has no such class; the message lists those it has.
        """
        if name not in self.names:
            msg = f"A class name must be one of {list(self.names)}, got {name!r}. Use a name of the class table."
            raise InputError(msg)
        return self.names.index(name)

    @classmethod
    def from_channel_def(cls, channel_def: Mapping[str, str]) -> ClassTable:
        """Read the table from `channel_def` of a MONAI bundle's metadata.

        Args:
            channel_def: Class names by class index written as text, as JSON has it.

        Raises:
            InputError: If the indices are not 0, 1, 2, ... without gaps.

        Examples:
            >>> ClassTable.from_channel_def({"0": "background", "1": "nucleus"}).names
            ('background', 'nucleus')
        """
        expected = [str(index) for index in range(len(channel_def))]
        if sorted(channel_def, key=str) != sorted(expected):
            got = list(channel_def)
            msg = f"channel_def must number its classes 0, 1, 2, ... without gaps, got {got}. Renumber them."
            raise InputError(msg)
        return cls(tuple(channel_def[index] for index in expected))

    def channel_def(self) -> dict[str, str]:
        """Write the table as a bundle's metadata has it: names by index as text."""
        return {str(index): name for index, name in enumerate(self.names)}


ROSELLA = ClassTable(("background", "phagophore", "autolysosome"))
"""The paper's three classes."""

ROSELLA_PHASES = ClassTable(("background", "phagophore", "autophagosome", "early autolysosome", "autolysosome"))
"""The four phases that the CIP and the simulator tell apart, and the background."""

PHASES_TO_ROSELLA = {0: 0, 1: 1, 2: 0, 3: 0, 4: 2}
"""The paper's reduction: the two rare phases become background."""


def require_same_classes(own: ClassTable, there: ClassTable, *, what: str, folder: object) -> None:
    """Make sure that class indices of one table mean the same, by name, in the table of a dataset folder.

    Args:
        own: The table of who writes label maps.
        there: The table of the dataset folder; it may hold further classes.
        what: Who writes, for the error.
        folder: The dataset folder, for the error.

    Raises:
        InputError: If an index has another name there, or none.

    Examples:
        >>> table = ClassTable(("background", "nucleus"))
        >>> require_same_classes(table, ClassTable(("background", "nucleus", "debris")), what="cdl", folder="D")
        >>> require_same_classes(table, ClassTable(("background", "debris")), what="cdl", folder="D")
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: Classes of D must begin with those of cdl (background, nucleus), got \
background, debris. If they are the same, rename them: noisylabels amend D --classes ...; else write elsewhere.
    """
    if there.names[: len(own)] != own.names:
        msg = (
            f"Classes of {folder} must begin with those of {what} ({', '.join(own)}), got {', '.join(there)}. "
            f"If they are the same, rename them: noisylabels amend {folder} --classes ...; else write elsewhere."
        )
        raise InputError(msg)


def check_label_map(
    label_map: RealArray,
    classes: ClassTable,
    *,
    source: str = "label map",
    like: tuple[int, int] | None = None,
    ignore_index: int | None = None,
) -> LabelMap:
    """Check that an array is a label map of `classes`.

    Args:
        label_map: (row, column) class indices, any integer or bool dtype. Not modified.
        classes: The class table.
        source: What to call the array in an error: usually its file.
        like: (rows, columns) that it must have, when it belongs to an image.
        ignore_index: Value of pixels that count for no class, allowed beside the class indices; usually `IGNORE_INDEX`.

    Returns:
        The label map as (row, column) uint8; a view if it was uint8 already.

    Raises:
        InputError: If it is not two-dimensional, not of integers, not of the size `like`, or holds a value
            outside the table.

    Examples:
        >>> check_label_map(np.array([[0, 3]]), ROSELLA, source="a.tif")
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: Values of a.tif must be class indices 0..2 (background, phagophore, \
autolysosome), got 3 in 1 pixels. Map or drop that class first.
    """
    array = np.asarray(label_map)
    if array.ndim != 2:
        msg = f"{source} must be (row, column), got shape {array.shape}. Give one two-dimensional label map."
        raise InputError(msg)
    if like is not None and array.shape != tuple(like):
        msg = f"{source} must have the size of its image, {tuple(like)}, got {array.shape}. Pair it with its own image."
        raise InputError(msg)
    return check_class_indices(array, len(classes), source=source, names=tuple(classes), ignore_index=ignore_index)


def check_one_shape(reference: ArrayLike, prediction: ArrayLike, *, source: str = "") -> None:
    """Check that two label maps can be compared pixel by pixel.

    Args:
        reference: Of any shape.
        prediction: Of the same.
        source: What the two belong to, for the error: usually a field.

    Raises:
        InputError: If the shapes differ.

    Examples:
        >>> check_one_shape([[0, 1]], [[0, 2]])
    """
    if np.shape(reference) != np.shape(prediction):
        shapes = f"{np.shape(reference)} and {np.shape(prediction)}"
        pair = f"Reference and prediction of {source}" if source else "Reference and prediction"
        msg = f"{pair} must have one shape, got {shapes}. Pair each prediction with its own reference."
        raise InputError(msg)


def set_aside(label_map: LabelMap) -> tuple[LabelMap, NDArray[np.bool_]]:
    """Remove the ignored pixels (255) from a label map: background, which is part of no event.

    Args:
        label_map: (row, column) class indices and 255. Not modified.

    Returns:
        The label map with background in their place, and a mask of them.

    Examples:
        >>> clean, ignored = set_aside(np.array([[1, 255]], np.uint8))
        >>> clean.tolist(), ignored.tolist()
        ([[1, 0]], [[False, True]])
    """
    ignored = np.asarray(label_map) == IGNORE_INDEX
    return np.where(ignored, 0, label_map).astype(np.uint8), ignored


def check_class_indices(
    values: RealArray,
    n_classes: int,
    *,
    source: str = "label map",
    names: tuple[str, ...] = (),
    ignore_index: int | None = None,
) -> LabelMap:
    """Check that an array of any shape holds class indices, before anything is counted with them.

    Args:
        values: Class indices of any integer or bool dtype. Not modified.
        n_classes: C, background included; every value must be below it.
        source: What to call the array in an error.
        names: Class names, for the error.
        ignore_index: Value that is allowed beside the class indices, in 0..255; None: none is.

    Returns:
        The values as uint8; a view if they were uint8 already.

    Raises:
        InputError: If they are no integers, or one is outside 0..n_classes - 1.

    Examples:
        >>> check_class_indices(np.array([[-1, 1]]), 2)
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: Values of label map must be class indices 0..1, got -1 in 1 pixels. \
Map or drop that class first.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "uib":
        msg = f"{source} must hold integers, got {array.dtype}. Give class indices, not probabilities or colours."
        raise InputError(msg)
    within = array.size == 0 or (array.max() < n_classes and (array.dtype.kind != "i" or array.min() >= 0))
    if not within:
        strange = (array < 0) | (array >= n_classes)
        if ignore_index is not None:
            strange &= array != ignore_index
        if strange.any():
            shown = ", ".join(str(value) for value in np.unique(array[strange])[:5])
            known = f"0..{n_classes - 1}" + (f" ({', '.join(names)})" if names else "")
            known += "" if ignore_index is None else f", or {ignore_index} to be ignored"
            msg = (
                f"Values of {source} must be class indices {known}, got {shown} in {int(strange.sum())} pixels. "
                "Map or drop that class first."
            )
            raise InputError(msg)
    return array.astype(np.uint8, copy=False)


def merge_classes(label_map: LabelMap, mapping: Mapping[int, int]) -> LabelMap:
    """Rename class indices, for instance the four phases to the paper's three classes.

    Args:
        label_map: (row, column) class indices. Not modified.
        mapping: New index by old index; every index that occurs must be there.

    Returns:
        A new (row, column) uint8 label map.

    Raises:
        InputError: If an index of the map has no entry.

    Examples:
        >>> merge_classes(np.array([[0, 1, 2, 3, 4]], np.uint8), PHASES_TO_ROSELLA)
        array([[0, 1, 0, 0, 2]], dtype=uint8)
    """
    table = np.zeros(256, np.uint8)
    table[list(mapping)] = list(mapping.values())
    unknown = set(np.unique(label_map).tolist()) - set(mapping)
    if unknown:
        msg = f"Every class of the map must have an entry in the mapping, got none for {sorted(unknown)}. Add it."
        raise InputError(msg)
    renamed: LabelMap = table[label_map]
    return renamed

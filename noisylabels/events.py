"""Events: the connected pieces of a label map, one row each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from noisylabels.errors import InputError
from noisylabels.labels import LabelMap

if TYPE_CHECKING:
    import pandas as pd

InstanceMap = NDArray[np.int32]

EIGHT_CONNECTED = np.ones((3, 3), bool)


@dataclass(frozen=True)
class EventTable(Mapping[str, NDArray[Any]]):
    """Features of events as columns of equal length, one row per event.

    Args:
        columns: (event,) arrays by name.

    Raises:
        InputError: If the columns differ in length.

    Examples:
        >>> table = EventTable({"event": np.array([1, 2]), "area_px": np.array([5, 3])})
        >>> table.select(table["area_px"] > 4)["event"]
        array([1])
    """

    columns: Mapping[str, NDArray[Any]]

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            msg = f"Columns of an event table must be equally long, got {lengths}. Give one value per event."
            raise InputError(msg)
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        """Count the events (not the columns)."""
        return len(next(iter(self.columns.values()), ()))

    def select(self, rows: NDArray[Any]) -> "EventTable":
        """Keep some events.

        Args:
            rows: (event,) booleans or the positions to keep.
        """
        return EventTable({name: column[rows] for name, column in self.columns.items()})

    def joined(self, **columns: NDArray[Any]) -> "EventTable":
        """Add or replace columns; the table itself stays as it is."""
        return EventTable({**self.columns, **columns})

    def to_pandas(self) -> "pd.DataFrame":
        """Copy the table into a pandas DataFrame, one row per event."""
        import pandas as pd

        return pd.DataFrame(dict(self.columns))


def label_events(label_map: LabelMap) -> tuple[InstanceMap, LabelMap]:
    """Number the events of a label map.

    An event is one 8-connected component of one class; events of different classes that touch stay apart.

    Args:
        label_map: (row, column) class indices, 0 = background. Not modified.

    Returns:
        The instance map, (row, column) int32 with event ids 1, 2, ... (class by class, then row by row) and 0 for
        background, and the (event,) uint8 class index of each.

    Examples:
        >>> instances, classes = label_events(np.array([[1, 0, 2], [0, 1, 2]], np.uint8))
        >>> instances
        array([[1, 0, 2],
               [0, 1, 2]], dtype=int32)
        >>> classes
        array([1, 2], dtype=uint8)
    """
    instances = np.zeros(label_map.shape, np.int32)
    found: list[int] = []
    for index in range(1, int(label_map.max(initial=0)) + 1):
        mask = label_map == index
        pieces, n_pieces = ndi.label(mask, EIGHT_CONNECTED)
        instances[mask] = pieces[mask] + len(found)
        found += [index] * n_pieces
    return instances, np.array(found, np.uint8)

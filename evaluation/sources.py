"""Sources: what this room needs of a dataset folder, and how its fields are read and named."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from noisylabels.data.errors import InputError
from noisylabels.data.events import InstanceMap
from noisylabels.data.hashes import Hasher
from noisylabels.data.labels import ClassTable, LabelMap, check_label_map


class FieldSource(Protocol):
    """What a study needs of a dataset folder. The rooms hand each other folders; the command opens this one."""

    @property
    def classes(self) -> ClassTable:
        """The class table of every label map."""

    @property
    def channel_names(self) -> tuple[str, ...]:
        """One name per channel."""

    @property
    def pixel_size_um(self) -> float | None:
        """Side of a pixel in micrometres, None when unknown."""

    def ids(self, split: str | None = None) -> list[str]:
        """List the fields of one split, or of all."""

    def case(self, case_id: str) -> Any:
        """Return the entry of a field; its `group` is what must stay together."""

    def image(self, case_id: str) -> Any:
        """Read an image, (channel, row, column)."""

    def label_map(self, name: str, case_id: str, *, ignore_index: int | None = None) -> LabelMap:
        """Read a label map of a label set; `ignore_index` may stand beside the class indices."""

    def instance_map(self, name: str, case_id: str) -> InstanceMap:
        """Read the instance map of a label set, (row, column) object numbers."""

    def require_labels(self, name: str) -> None:
        """Refuse an unknown label set."""


class LabelReader:
    """Reads label maps, remembers what could not be read, and hashes what was.

    Args:
        source: The data set.
        ignore_index: Value of pixels that count for no class, allowed beside the class indices; or None.
    """

    def __init__(self, source: FieldSource, *, ignore_index: int | None = None) -> None:
        self.source = source
        self.ignore_index = ignore_index
        self.skipped: dict[str, str] = {}
        self.digests: defaultdict[str, Hasher] = defaultdict(Hasher)

    def maps(self, references: Sequence[str], methods: Sequence[str], case_id: str) -> dict[str, LabelMap]:
        """Read what can be read of a field; sizes must be that of the first reference."""
        found: dict[str, LabelMap] = {}
        for name in (*references, *methods):
            first = next(iter(found.values()), None)
            label_map = self._label_map(name, case_id, like=None if first is None else (first.shape[0], first.shape[1]))
            if label_map is not None:
                found[name] = label_map
        return found

    def instance_map(self, name: str, case_id: str) -> InstanceMap:
        """Read the object numbers of a label set, and hash them with it.

        Raises:
            FileNotFoundError: If there are none.
            InputError: If they cannot be read.
        """
        instances = self.source.instance_map(name, case_id)
        self.digests[name].add(np.ascontiguousarray(instances))
        return instances

    def _label_map(self, name: str, case_id: str, *, like: tuple[int, int] | None) -> LabelMap | None:
        try:
            label_map = self.source.label_map(name, case_id, ignore_index=self.ignore_index)
            if like is not None:
                source, ignored = f"{name} of {case_id}", self.ignore_index
                check_label_map(label_map, self.source.classes, source=source, like=like, ignore_index=ignored)
        except (InputError, OSError) as error:
            self.skipped[f"{name}/{case_id}"] = str(error)
            return None
        self.digests[name].add(f"{case_id} {label_map.shape}".encode())
        self.digests[name].add(label_map)
        return label_map


def method_name(label_set: str) -> str:
    """Call a method by its label set: short names in capitals, as CIP, CDL, MDL.

    Examples:
        >>> method_name("cip"), method_name("expert_1")
        ('CIP', 'expert_1')
    """
    return label_set.upper() if len(label_set) <= 4 and label_set.isalpha() else label_set

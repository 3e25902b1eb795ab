"""A field of an OME-Zarr plate behind an address: its chunks are fetched together, once, and hashed as they came."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from noisylabels.data.hashes import Hasher, Stamp
from noisylabels.plates.fields import Plane
from noisylabels.plates.omezarr import METADATA, ZarrField
from noisylabels.plates.remote import RemoteFolder


@dataclass(frozen=True)
class RemoteZarrField(ZarrField):
    """A field whose files nobody can list: what the metadata name is asked for, and what is not there is empty."""

    @property
    def place(self) -> RemoteFolder:
        """Where it lies."""
        if not isinstance(self.folder, RemoteFolder):
            msg = f"{self.folder} is no address"
            raise TypeError(msg)
        return self.folder

    @property
    def missing(self) -> tuple[Plane, ...]:
        """Nothing is asked for before the field is read."""
        return ()

    def stamps(self, *, channels: Sequence[str] | None = None, time: int | None = None) -> tuple[Stamp, ...]:
        """Return name, size and checksum of the metadata: pixels behind unchanged metadata are taken as unchanged."""
        self.channel_positions(channels), self.time_point(time)
        names = (*METADATA, *(f"{self.array}/{name}" for name in METADATA))
        documents = self.place.fetch(names).items()
        return tuple((name, len(data), zlib.crc32(data)) for name, data in documents if data is not None)

    def hash_input(self, *, channels: Sequence[str] | None = None, time: int | None = None) -> str:
        """Return the hash of the metadata and of every chunk of the time point."""
        self.channel_positions(channels)
        hasher = Hasher()
        for name, data in self._stored(self.array, self.axes, self.time_point(time)).items():
            hasher.add(name.encode() + b"\0" + data)
        return hasher.value

    def _open(self, array: str, axes: str, moment: int) -> tuple[Any, bool]:
        import zarr
        from zarr.storage import MemoryStore

        stored = self._stored(array, axes, moment)
        opened = zarr.open_array(MemoryStore(_buffers(stored)), mode="r")
        return opened, any(name not in METADATA for name in stored)

    def _stored(self, array: str, axes: str, moment: int) -> dict[str, bytes]:
        """Fetch what is stored of an array at a time point; the last answer is kept, since it is read and hashed."""
        key = f"{self.folder}/{array} {moment}"
        if key not in self.place.last:
            stored = _fetch_array(self.place / array, axes, moment)
            self.place.last.clear()
            self.place.last[key] = stored
        return self.place.last[key]


def _fetch_array(place: RemoteFolder, axes: str, moment: int) -> dict[str, bytes]:
    import zarr
    from zarr.storage import MemoryStore

    documents = {name: data for name, data in place.fetch(("zarr.json", ".zarray")).items() if data is not None}
    array: Any = zarr.open_array(MemoryStore(_buffers(documents)), mode="r")
    sizes = array.shards or array.chunks
    grid = [range(-(-length // size)) for length, size in zip(array.shape, sizes, strict=True)]
    if "t" in axes:
        grid[axes.index("t")] = range(moment // sizes[axes.index("t")], moment // sizes[axes.index("t")] + 1)
    names = [array.metadata.encode_chunk_key(place) for place in product(*grid)]
    return {**documents, **{name: data for name, data in place.fetch(names).items() if data is not None}}


def _buffers(stored: dict[str, bytes]) -> dict[str, Any]:
    from zarr.core.buffer import default_buffer_prototype

    make = default_buffer_prototype().buffer.from_bytes
    return {name: make(data) for name, data in stored.items()}

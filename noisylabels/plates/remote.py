"""Folders behind an address (`https://`, `s3://`, ...), through fsspec: for OME-Zarr, which names its own files."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from noisylabels.data.errors import InputError

ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+]+):/+(.+)")
EXTRA = "pip install 'noisylabels[remote]'"


@dataclass(frozen=True)
class RemoteFolder:
    """A folder behind an address; only what is needed of one.

    Args:
        address: `https://host/plate.ome.zarr`, `s3://bucket/plate.ome.zarr`, or what else fsspec knows.
        known: Small files that were fetched ahead, by address; not sent to other processes.
        last: What was fetched last of an array, likewise.
    """

    address: str
    known: dict[str, bytes] = field(default_factory=dict, compare=False, repr=False)
    last: dict[str, dict[str, bytes]] = field(default_factory=dict, compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Send the address alone."""
        return RemoteFolder, (self.address,)

    def __truediv__(self, name: str) -> "RemoteFolder":
        """Join a relative path."""
        return RemoteFolder(f"{self.address}/{name}", self.known, self.last)

    def __str__(self) -> str:
        """Return the address."""
        return self.address

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.address.rpartition("/")[2]

    def read_bytes(self) -> bytes:
        """Fetch a file.

        Raises:
            FileNotFoundError: If it is not there.
            InputError: If the address cannot be read: a package is missing, access is denied, nobody answers.
        """
        if self.address in self.known:
            return self.known[self.address]
        data = self.fetch([""])[""]
        if data is None:
            msg = f"{self.address} must be there, but it is not. Check the address."
            raise FileNotFoundError(msg)
        return data

    def fetch(self, names: Iterable[str]) -> dict[str, bytes | None]:
        """Fetch files of this folder together; None for those that are not there.

        Args:
            names: Relative paths; "" for the address itself.

        Raises:
            InputError: As `read_bytes`.
        """
        wanted = {name: f"{self.address}/{name}".rstrip("/") for name in names}
        try:
            import fsspec

            system, _ = fsspec.url_to_fs(self.address)
            places = {name: system._strip_protocol(address) for name, address in wanted.items()}
            got = system.cat(list(places.values()), on_error="return")
            answers = {name: got[place] for name, place in places.items()}
        except ImportError as error:
            msg = f"{self.address} must be read through fsspec, got an installation without what it needs. {EXTRA}"
            raise InputError(msg) from error
        except Exception as error:
            raise InputError(self._unreadable(error)) from error
        return {name: self._content(answer) for name, answer in answers.items()}

    def _content(self, answer: bytes | Exception) -> bytes | None:
        if isinstance(answer, FileNotFoundError):
            return None
        if isinstance(answer, Exception):
            raise InputError(self._unreadable(answer)) from answer
        return answer

    def _unreadable(self, error: Exception) -> str:
        reason = " ".join(str(error).split()) or type(error).__name__
        return f"{self.address} must be an address that can be read, got: {reason}. Check it, and your access to it."


Place: TypeAlias = Path | RemoteFolder
"""Where an OME-Zarr plate or a part of it lies."""


def address_of(place: str | Path) -> str | None:
    """Return the address that was given where a path is expected; None if it is a path.

    A `Path` makes one slash of two, which is corrected here.

    Examples:
        >>> address_of(Path("https://lab.org/P1.ome.zarr")), address_of("plates/P1")
        ('https://lab.org/P1.ome.zarr', None)
    """
    found = ADDRESS.fullmatch(str(place))
    return f"{found[1]}://{found[2].rstrip('/')}" if found else None


def read_if_there(place: Place) -> bytes | None:
    """Read a file; None if it is not there."""
    try:
        return place.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None

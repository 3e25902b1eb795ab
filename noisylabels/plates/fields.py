"""One field of view, whatever format the microscope wrote; nothing is decoded until it is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError
from noisylabels.data.hashes import Stamp, hash_files, stamp_files
from noisylabels.data.images import check_pixels
from noisylabels.data.wells import WellPosition
from noisylabels.plates.pages import read_pages

Stack = RealArray
Projection = Literal["max", "middle", "stack"]


@dataclass(frozen=True, slots=True, order=True)
class Plane:
    """Where one two-dimensional picture of a field lies: a page of a TIFF file.

    Args:
        time: Time point, as the instrument numbers it.
        channel: Position of the channel in the field's `channels`.
        z: Focal plane, as the instrument numbers it.
        path: The file.
        page: Page of the file, from 0.
        factor: What the stored numbers are multiplied with (Opera .flex stores some planes scaled).
    """

    time: int
    channel: int
    z: int
    path: Path
    page: int = 0
    factor: float = 1.0


@dataclass(frozen=True)
class Field:
    """One field of view of a well: what is known of it without reading a pixel, and how to read them.

    Readers return a subclass that knows its storage.

    Args:
        plate: Name of the plate.
        well: Its well.
        number: Number of the field in the well, as the instrument numbers it.
        channels: Channel names, in the order in which they are read.
        pixel_size_um: Side of a pixel in micrometres, if it is known.
        position_um: Centre of the field (down, right) in the well in micrometres, if it is known.
    """

    plate: str
    well: WellPosition
    number: int
    channels: tuple[str, ...]
    pixel_size_um: float | None = None
    position_um: tuple[float, float] | None = None

    @property
    def id(self) -> str:
        """The field's name within its plate: `B07_f003`."""
        return f"{self.well.name}_f{self.number:03d}"

    @property
    def times(self) -> tuple[int, ...]:
        """The time points that were taken."""
        raise NotImplementedError

    @property
    def missing(self) -> tuple[Plane, ...]:
        """Planes that should be there and are not, each with the path where it was looked for."""
        return ()

    def files(self, *, channels: Sequence[str] | None = None, time: int | None = None) -> tuple[Path, ...]:
        """List the files that decide the pixels of these channels and this time point."""
        raise NotImplementedError

    def stamps(self, *, channels: Sequence[str] | None = None, time: int | None = None) -> tuple[Stamp, ...]:
        """Return what tells cheaply that the input is unchanged: names, sizes and times of the files."""
        return stamp_files(self.files(channels=channels, time=time))

    def hash_input(self, *, channels: Sequence[str] | None = None, time: int | None = None) -> str:
        """Return the hash of the files that decide the pixels of these channels and this time point."""
        return hash_files(self.files(channels=channels, time=time))

    def reading(self) -> list[object]:
        """Return in plain values what decides, beside the files and the code, how the field is read."""
        return [list(self.channels)]

    def read_stack(self, *, channels: Sequence[str] | None = None, time: int | None = None) -> Stack:
        """Read every focal plane.

        Args:
            channels: Names of the channels wanted, in order; all when None.
            time: The time point; the first when None.

        Returns:
            (channel, plane, row, column) of the stored type.

        Raises:
            InputError: If a plane is missing, cannot be decoded or differs in size, or a name is unknown.
        """
        raise NotImplementedError

    def read(
        self, *, channels: Sequence[str] | None = None, time: int | None = None, z: Projection | int = "max"
    ) -> RealArray:
        """Read the field as an image.

        Args:
            channels: Names of the channels wanted, in order; all when None.
            time: The time point; the first when None.
            z: `max` projects the focal planes, `middle` takes the middle one, a number takes that one (from 0),
                `stack` keeps them all.

        Returns:
            (channel, row, column), or (channel, plane, row, column) for `stack`.

        Raises:
            InputError: As `read_stack`, or if there is no such plane.
        """
        stack = check_pixels(self.read_stack(channels=channels, time=time), source=f"{self.plate} {self.id}")
        return project(stack, z)

    def channel_positions(self, channels: Sequence[str] | None) -> list[int]:
        """Return channels by name.

        Raises:
            InputError: If the field has no channel of that name.
        """
        if channels is None:
            return list(range(len(self.channels)))
        unknown = [name for name in channels if name not in self.channels]
        if unknown:
            msg = (
                f"Channels of plate {self.plate} must be among {', '.join(self.channels)}, got {', '.join(unknown)}. "
                "Name them as the plate does."
            )
            raise InputError(msg)
        return [self.channels.index(name) for name in channels]

    def time_point(self, time: int | None) -> int:
        """Return a time point; the first when None.

        Raises:
            InputError: If it was not taken.
        """
        if time is None:
            return self.times[0]
        if time not in self.times:
            msg = (
                f"The time point of field {self.id} must be one of {list(self.times)}, got {time}. Choose one of them."
            )
            raise InputError(msg)
        return time


@dataclass(frozen=True)
class TiffField(Field):
    """A field whose planes are pages of TIFF files.

    Args:
        planes: The planes that are there.
        absent: The planes that should be there and are not.
    """

    planes: tuple[Plane, ...] = ()
    absent: tuple[Plane, ...] = ()

    @property
    def times(self) -> tuple[int, ...]:
        """The time points that were taken."""
        return tuple(sorted({plane.time for plane in (*self.planes, *self.absent)}))

    @property
    def missing(self) -> tuple[Plane, ...]:
        """Planes that should be there and are not."""
        return self.absent

    def files(self, *, channels: Sequence[str] | None = None, time: int | None = None) -> tuple[Path, ...]:
        """List the TIFF files of these channels and this time point, each once."""
        chosen = [plane for row in self._chosen(channels, time) for plane in row]
        return tuple(dict.fromkeys(plane.path for plane in chosen))

    def read_stack(self, *, channels: Sequence[str] | None = None, time: int | None = None) -> Stack:
        """Read every focal plane as (channel, plane, row, column)."""
        rows = self._chosen(channels, time)
        pages = read_pages(self._pages([plane for row in rows for plane in row]))
        scaled = [
            page if plane.factor == 1 else page * np.float32(plane.factor)
            for page, plane in zip(pages, (plane for row in rows for plane in row), strict=True)
        ]
        shapes = {page.shape for page in scaled}
        if len(shapes) > 1:
            msg = f"Planes of field {self.id} must have one size, got {sorted(shapes)}. Take the odd file out."
            raise InputError(msg)
        return np.stack(scaled).reshape(len(rows), -1, *shapes.pop())

    def reading(self) -> list[object]:
        """Return page and factor of each plane."""
        places: list[object] = [[one.time, one.channel, one.z, one.page, one.factor] for one in self.planes]
        return [list(self.channels), places]

    def _pages(self, planes: Sequence[Plane]) -> list[tuple[Path, int]]:
        return [(plane.path, plane.page) for plane in planes]

    def _chosen(self, channels: Sequence[str] | None, time: int | None) -> list[list[Plane]]:
        positions, moment = self.channel_positions(channels), self.time_point(time)
        there = {(plane.channel, plane.z): plane for plane in self.planes if plane.time == moment}
        lost = {(plane.channel, plane.z): plane for plane in self.absent if plane.time == moment}
        levels = sorted({z for position, z in (*there, *lost) if position in positions})
        for position in positions:
            for z in levels:
                if (position, z) not in there:
                    raise InputError(self._lacking(position, z, lost.get((position, z))))
        return [[there[position, z] for z in levels] for position in positions]

    def _lacking(self, position: int, z: int, plane: Plane | None) -> str:
        looked_for = f", {plane.path} is not there" if plane else ""
        return (
            f"Field {self.id} of plate {self.plate} must have plane {z} of channel {self.channels[position]!r}"
            f"{looked_for}. Copy it from the instrument, or choose channels that are whole."
        )


def project(stack: Stack, z: Projection | int) -> RealArray:
    """Make an image of a stack.

    Args:
        stack: (channel, plane, row, column). Not modified.
        z: `max`, `middle`, `stack`, or the number of a plane from 0.

    Returns:
        (channel, row, column); the stack itself for `stack`.

    Raises:
        InputError: If there is no such plane or the word is unknown.

    Examples:
        >>> stack = np.array([[[[1, 5]], [[3, 2]]]])
        >>> project(stack, "max"), project(stack, 0)
        (array([[[3, 5]]]), array([[[1, 5]]]))
    """
    if z == "stack":
        return stack
    if z == "max":
        projected: NDArray[Any] = stack.max(axis=1)
        return projected
    if z == "middle":
        z = stack.shape[1] // 2
    if not isinstance(z, int) or not 0 <= z < stack.shape[1]:
        msg = f"z must be max, middle, stack or a plane 0..{stack.shape[1] - 1}, got {z!r}. Choose one of them."
        raise InputError(msg)
    chosen: NDArray[Any] = stack[:, z]
    return chosen

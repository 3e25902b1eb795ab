"""Plate -> Well -> Field, whatever format the microscope wrote."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from noisylabels.data.errors import InputError
from noisylabels.data.wells import WellPosition
from noisylabels.plates.fields import Field
from noisylabels.plates.remote import Place

LATEST, ALL = "latest", "all"
Coefficients = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Choice:
    """What to read where an export holds several pictures of one plane.

    Args:
        projection: The instrument's projections instead of the focal planes (ImageXpress).
        sequence: Harmony's acquisition sequence: `latest`, `all` (each makes channels of its own), or one by name.
        action: CellVoyager's action: `latest`, `all`, or one by its number.
    """

    projection: bool = False
    sequence: str = LATEST
    action: str = LATEST


@dataclass(frozen=True)
class Well:
    """One well and its fields.

    Args:
        position: Where it lies.
        fields: Its fields, by number.
    """

    position: WellPosition
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Plate:
    """One plate as found on disk.

    Args:
        name: Name of the plate.
        folder: Where it lies.
        format: Which reader found it.
        shape: Rows and columns of the plate.
        wells: The wells that were imaged, row by row.
        problems: What was wrong with single files or entries, one sentence each; the rest of the plate is usable.
        illumination: Coefficients of the instrument's own illumination profiles by channel, where it stored any; see
            `noisylabels.cip.flatfield.polynomial_profile`.
    """

    name: str
    folder: Place
    format: str
    shape: tuple[int, int]
    wells: tuple[Well, ...]
    problems: tuple[str, ...] = ()
    illumination: Mapping[str, Coefficients] = field(default_factory=dict)

    def __repr__(self) -> str:
        size = f"{len(self.wells)} wells, {sum(len(well.fields) for well in self.wells)} fields"
        return f"Plate({self.name!r}, {self.format}, {size}, {' + '.join(self.channels) or 'no channels'})"

    @property
    def fields(self) -> Iterator[Field]:
        """All fields, well by well."""
        return (found for well in self.wells for found in well.fields)

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels of the first field; readers give every field of a plate the same."""
        first = next(self.fields, None)
        return first.channels if first else ()

    def times_left_out(self, time: int | None) -> list[str]:
        """Return one sentence if there are several time points and none was chosen: only the first is read.

        Args:
            time: The time point that was chosen, if any.
        """
        times = first.times if (first := next(self.fields, None)) else ()
        if time is not None or len(times) <= 1:
            return []
        return [
            f"Plate {self.name} has {len(times)} time points: only {times[0]} is read. "
            f"Choose one of {times[0]}..{times[-1]} with --time."
        ]

    def field(self, identifier: str) -> Field:
        """Return a field by its `id`.

        Raises:
            InputError: If the plate has no such field.
        """
        for found in self.fields:
            if found.id == identifier:
                return found
        msg = f"A field of plate {self.name} must be an id such as {next(self.fields).id}, got {identifier!r}."
        raise InputError(msg)

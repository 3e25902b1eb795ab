"""What is done to every field of a run, small enough to travel to every worker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from noisylabels.cip.flatfield import correct_flatfield, polynomial_profile
from noisylabels.cip.scale import doubt_scale, stretch
from noisylabels.data.arrays import Image
from noisylabels.data.hashes import hash_code, hash_values
from noisylabels.plates.fields import Field
from noisylabels.plates.plate import Coefficients
from noisylabels.screening.methods import Method

READING = ("noisylabels.plates", "noisylabels.data.tiff", "noisylabels.data.images", "noisylabels.data.wells")
MEASURING = (
    *("noisylabels.cip.flatfield", "noisylabels.cip.scale", "noisylabels.data.events", "noisylabels.data.features"),
    *("noisylabels.screening.field", "noisylabels.screening.job"),
)


@dataclass(frozen=True)
class Job:
    """One method with its reading.

    Args:
        method: What labels the fields.
        method_hash: The method's fingerprint, worked out once.
        channels: Channels of the plate in the method's order; all when None.
        channel_names: What to call them in tables.
        time: Time point; the first when None.
        flatfields: Illumination coefficients, one set per channel, by plate; plates without are taken as they are.
        full_scale: What is white in the images, such as 255 or 1; they are stretched to 65,535 counts. As they are
            when None.
        retries: How often an error of reading or writing is tried again.
        batch_size: Fields given to the network together.
    """

    method: Method
    method_hash: str
    channels: tuple[str, ...] | None = None
    channel_names: tuple[str, ...] | None = None
    time: int | None = None
    flatfields: Mapping[str, tuple[Coefficients, ...]] = field(default_factory=dict)
    full_scale: float | None = None
    retries: int = 2
    batch_size: int = 1

    @classmethod
    def of(cls, method: Method, **settings: Any) -> "Job":
        """Make a job; hashes the method's model and code."""
        return cls(method, method.fingerprint(), **settings)

    def settings_key(self, field: Field) -> str:
        """Return the hash of all but the files that decides the result of a field: settings, code, how it is read."""
        return hash_values([self.plate_key(field.plate), field.reading()])

    def plate_key(self, plate: str) -> str:
        """Return the hash of what decides the results of all fields of a plate: settings, model and code."""
        return hash_values(
            {
                "method": self.method_hash,
                "channels": self.channels,
                "names": self.channel_names,
                "time": self.time,
                "full_scale": self.full_scale,
                "z": self.method.z,
                "flatfield": self.flatfields.get(plate),
                "code": hash_code((*READING, *MEASURING)),
            }
        )

    def read(self, field: Field) -> Image:
        """Read a field as the method wants it, illumination taken out."""
        image = stretch(field.read(channels=self.channels, time=self.time, z=self.method.z), self.full_scale)
        coefficients = self.flatfields.get(field.plate)
        if coefficients is None:
            return image
        shape = (image.shape[-2], image.shape[-1])
        return correct_flatfield(image, np.stack([polynomial_profile(one, shape) for one in coefficients]))

    def doubt(self, image: Image) -> str:
        """Describe that an image has not the scale that the method's thresholds are made for; nothing where it has."""
        if not self.method.needs_counts or self.full_scale is not None:
            return ""
        return doubt_scale(image, self.method.name)

    def names(self, field: Field) -> tuple[str, ...]:
        """Return the channels of the images that `read` gives."""
        return self.channel_names or self.channels or field.channels

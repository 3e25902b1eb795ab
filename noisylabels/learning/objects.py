"""Label maps whose touching objects are apart, for networks that tell objects apart: preset `instances`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError
from noisylabels.data.instances import open_gaps, read_instance_map
from noisylabels.learning.monai_io import FieldReader


class ObjectReader(FieldReader):
    """Read fields as `FieldReader` does, and label maps with gaps where objects touch.

    The objects of `labels/<name>/<id>.tif` are those of `instances/<name>/<id>.tif`, as `noisylabels import --masks
    objects` and `noisylabels predict --instances` write them. Arguments are those of `FieldReader`.
    """

    def get_data(self, img: Sequence[Path]) -> tuple[RealArray, dict[str, object]]:
        """Read the pixels; arguments and return values as in `FieldReader`.

        Raises:
            FileNotFoundError: If a file is missing.
            InputError: If a file cannot be decoded, or a label map has no instance map of its size.
        """
        image, about = super().get_data(img)
        if len(img) != 1 or img[0].parent.parent.name != "labels":
            return image, about
        name = img[0].parent.name
        path = img[0].parents[2] / "instances" / name / img[0].name
        if not path.is_file():
            msg = (
                f"The preset instances learns from numbered objects, but {name} has none at {path}. "
                "Import the labels with --masks objects."
            )
            raise InputError(msg)
        rows_first = np.swapaxes(image[0], -1, -2) if self.reverse_indexing else image[0]
        apart = open_gaps(rows_first, read_instance_map(path, like=rows_first.shape))
        return np.ascontiguousarray(np.swapaxes(apart, -1, -2) if self.reverse_indexing else apart)[None], about

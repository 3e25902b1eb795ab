"""Field files for MONAI: the one place that knows that its axes are (channel, x, y), ours (channel, row, column)."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from monai.data import FolderLayoutBase, ImageReader, ImageWriter
from monai.utils import ensure_tuple

from noisylabels.data.arrays import RealArray
from noisylabels.data.ids import image_id
from noisylabels.data.images import IMAGE_SUFFIXES, read_image, write_label_map
from noisylabels.learning.datalist import read_images

Path_ = str | PathLike[str]


class FieldReader(ImageReader):
    """Read fields and label maps in a MONAI config: `reader: {_target_: noisylabels.learning.monai_io.FieldReader}`.

    MONAI's own readers take channel 0 of a multi-channel TIFF and drop the rest without a word. This one reads
    every format of `noisylabels.data.images`. Several files are one field given as a file per channel.

    Args:
        n_channels: How many channels there must be; any number when None.
        reverse_indexing: Give (channel, x, y) as MONAI's other two-dimensional readers do, not
            (channel, row, column).

    Examples:
        >>> import tempfile
        >>> from noisylabels.data.images import write_image
        >>> path = Path(tempfile.mkdtemp()) / "field.ome.tif"
        >>> write_image(path, np.zeros((2, 3, 5), np.uint16))
        >>> reader = FieldReader()
        >>> image, meta = reader.get_data(reader.read(path))
        >>> image.shape, meta["original_channel_dim"]
        ((2, 5, 3), 0)
    """

    def __init__(self, n_channels: int | None = None, reverse_indexing: bool = True) -> None:
        self.n_channels = n_channels
        self.reverse_indexing = reverse_indexing

    def verify_suffix(self, filename: Sequence[Path_] | Path_) -> bool:
        """Return whether every file is of a format that `noisylabels.data.images` reads."""
        return all(str(name).lower().endswith(IMAGE_SUFFIXES) for name in ensure_tuple(filename))

    def read(self, data: Sequence[Path_] | Path_, **kwargs: object) -> tuple[Path, ...]:  # noqa: ARG002
        """Accept the paths; the pixels are read by `get_data`, whose errors MONAI passes on instead of hiding them."""
        return tuple(Path(name) for name in ensure_tuple(data))

    def get_data(self, img: Sequence[Path]) -> tuple[RealArray, dict[str, object]]:
        """Read the pixels.

        Args:
            img: The paths that `read` returned.

        Returns:
            (channel, x, y) array of the file's own type, and MONAI's metadata.

        Raises:
            FileNotFoundError: If a file is missing.
            InputError: If a file cannot be decoded, has other channels than it must, or holds NaN.
        """
        whole = self.n_channels if len(img) == 1 else None
        image = np.concatenate([read_image(path, n_channels=whole) for path in img])
        if self.reverse_indexing:
            image = np.ascontiguousarray(np.swapaxes(image, -1, -2))
        return image, {"original_channel_dim": 0, "spatial_shape": np.asarray(image.shape[1:])}


class LabelMapWriter(ImageWriter):
    """Write label maps from a MONAI config: `writer: noisylabels.learning.monai_io.LabelMapWriter` of `SaveImaged`.

    The file is whole or absent: it is written beside its place and renamed.

    Args:
        output_dtype: Must be an integer type; label maps are always written as uint8.
        scale: Taken because `SaveImaged` passes it; label maps are never scaled.
        reverse_indexing: The array is (x, y), as `FieldReader` gave it, not (row, column).
    """

    def __init__(
        self,
        output_dtype: object = np.uint8,
        scale: int | None = None,  # noqa: ARG002
        reverse_indexing: bool = True,
        **kwargs: object,
    ) -> None:
        super().__init__(output_dtype=output_dtype, reverse_indexing=reverse_indexing, **kwargs)

    def set_data_array(self, data_array: object, channel_dim: int | None = 0, **kwargs: object) -> None:  # noqa: ARG002
        """Return the class indices.

        Args:
            data_array: (1, x, y) array or tensor when `channel_dim` is 0, (x, y) when it is None. Not modified.
            channel_dim: The axis of the single channel.
            kwargs: Other options of `SaveImaged`; they do not concern label maps.
        """
        array = np.asarray(self.create_backend_obj(data_array))
        self.data_obj = array if channel_dim is None else np.squeeze(array, axis=channel_dim)

    def set_metadata(self, meta_dict: Mapping[str, object] | None, **options: object) -> None:
        """Return nothing: a label map has the grid of its image."""

    def write(self, filename: Path_, verbose: bool = False, **kwargs: object) -> None:  # noqa: ARG002
        """Write the label map as (row, column) uint8."""
        label_map = self.data_obj.T if self.reverse_indexing else self.data_obj
        write_label_map(Path(filename), np.ascontiguousarray(label_map, dtype=np.uint8))


class LabelLayout(FolderLayoutBase):
    """Write label maps under the ids of their fields, as a dataset folder does: `<output_dir>/<id>.tif`.

    Args:
        output_dir: Folder of the label maps.
        extension: `.tif`, `.png` or `.nii.gz`.
        dataset_dir: Where datalist.json tells the ids; an image that it does not list is named by its file.

    Examples:
        >>> LabelLayout("labels/cdl").filename(subject="images/B07_f3.ome.tif").as_posix()
        'labels/cdl/B07_f3.tif'
    """

    def __init__(self, output_dir: Path_, extension: str = ".tif", dataset_dir: Path_ | None = None) -> None:
        self.output_dir = Path(output_dir)
        self.extension = extension
        self.dataset_dir = dataset_dir
        self._ids: dict[str, str] | None = None

    def filename(self, subject: Path_ = "field", **kwargs: object) -> Path:  # noqa: ARG002
        """Return the path for the field read from `subject`."""
        if self._ids is None:  # not before: a host that predicts single images has no dataset folder
            self._ids = self._read_ids()
        name = self._ids.get(str(subject)) or image_id(Path(subject))
        return self.output_dir / f"{name}{self.extension}"

    def _read_ids(self) -> dict[str, str]:
        if self.dataset_dir is None or not (Path(self.dataset_dir) / "datalist.json").is_file():
            return {}
        return {field["image"]: field["id"] for field in read_images(Path(self.dataset_dir))}

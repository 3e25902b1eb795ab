"""Label one image of an OME-Zarr 0.5 plate, as Fractal calls a parallel task."""

from pathlib import Path

from pydantic import validate_call

from noisylabels.data.hashes import hash_values
from noisylabels.plates import open_plate, write_labels
from noisylabels.plates.omezarr import ZarrField
from noisylabels.plates.omezarr_labels import list_labels
from noisylabels.screening.methods import method_of


@validate_call
def label_events(*, zarr_url: str, preset: str = "rosella-lc3-mended", label_name: str = "events") -> None:
    """Label the events of an image by a conventional pipeline.

    Args:
        zarr_url: Path of the image, a field of a well of a plate.
        preset: Name of a pipeline, as `noisylabels cip --help` lists them.
        label_name: What the label map is called; one that is there is kept.
    """
    image = Path(zarr_url).resolve()
    fields = (field for field in open_plate(image.parents[2]).fields if isinstance(field, ZarrField))
    (field,) = (field for field in fields if Path(str(field.folder)).resolve() == image)
    if label_name in list_labels(image):
        return
    declared = {"kind": "cip", "settings": {"preset": preset}}
    method = method_of(declared)
    (label_map,) = method.load()([field.read(z=method.z)])
    provenance = {"declaration": declared, "input": field.hash_input(), "key": hash_values([method.fingerprint()])}
    write_labels(image, label_map, name=label_name, classes=method.classes, provenance=provenance)


if __name__ == "__main__":
    from fractal_task_tools.task_wrapper import run_fractal_task

    run_fractal_task(task_function=label_events)

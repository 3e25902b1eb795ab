"""OME-Zarr 0.5: every accepted field as an image with its corrected label map under `labels/`."""

from pathlib import Path
from typing import Any

from noisylabels.annotation.export import Accepted, Exported, accepted_or_refuse
from noisylabels.annotation.fields import classes_of
from noisylabels.annotation.images import Planes, read_planes
from noisylabels.annotation.project import Project
from noisylabels.annotation.revisions import read_revision
from noisylabels.data.errors import InputError


def export_ome_zarr(project: Project, folder: str | Path) -> Exported:
    """Write what was accepted as OME-Zarr 0.5, one `<field>.ome.zarr` each, labels as `labels/corrected_<person>`.

    A label map carries its class names and, under our own key beside `ome`, its revision, start and stratum.

    Args:
        project: An open project.
        folder: Where; a field that is there already is refused.

    Returns:
        What was written; a field whose image cannot be read is left out, by name.

    Raises:
        InputError: If nothing was accepted, or a field is there.
    """
    from noisylabels.plates.omezarr_labels import write_labels

    left_out = {}
    done = accepted_or_refuse(project)
    for item in done:
        target = Path(folder) / f"{item.field.name}.ome.zarr"
        if target.exists():
            msg = f"{target} must be new, but it is there. Nothing is overwritten: choose another folder."
            raise InputError(msg)
        try:
            planes = read_planes(project, item.field)
        except (InputError, OSError) as error:
            left_out[item.field.name] = str(error)
            continue
        _write_image(target, planes, project)
        write_labels(
            target,
            read_revision(project, item.task, item.revision),
            name=f"corrected_{item.person}",
            classes=classes_of(project),
            provenance=_provenance(item),
        )
    return Exported(len(done) - len(left_out), left_out)


def _write_image(target: Path, planes: Planes, project: Project) -> None:
    from yaozarrs import v05
    from yaozarrs.write.v05 import write_image

    pixel = project.setting("pixel_size_um")
    unit: dict[str, Any] = {"unit": "micrometer"} if pixel else {}
    axes = [v05.ChannelAxis(name="c"), v05.SpaceAxis(name="y", **unit), v05.SpaceAxis(name="x", **unit)]
    scale = v05.ScaleTransformation(scale=[1.0, pixel or 1.0, pixel or 1.0])
    datasets = [v05.Dataset(path="0", coordinateTransformations=[scale])]
    image = v05.Image(version="0.5", multiscales=[v05.Multiscale(axes=axes, datasets=datasets)])
    # One chunk per picture: a field is read whole.
    write_image(target, image, planes, chunks=(1, *planes.shape[1:]), writer="zarr", compression="none")


def _provenance(item: Accepted) -> dict[str, object]:
    return {
        "made_by": "noisylabels annotate export",
        "person": item.person,
        "revision": item.revision,
        "start": item.start,
        "stratum": item.stratum,
        "comment": item.comment,
    }

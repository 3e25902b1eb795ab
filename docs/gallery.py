"""The pictures of docs/gallery.md that no other command leaves behind.

python -m docs.gallery docs/images
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from noisylabels.data.atomic import replacing, write_bytes
from noisylabels.data.labels import PHASES_TO_ROSELLA, ROSELLA, LabelMap, merge_classes
from noisylabels.noise.model import NoiseModel
from noisylabels.simulation import SimulationSettings, preset, simulate_field

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEED = 1
KINDS: Mapping[str, Mapping[str, Any]] = {
    "missed": {"rate": 0.5},
    "misclassified": {"rate": 0.5},
    "incomplete": {"rate": 0.8},
    "simplified": {"rate": 1.0, "modes": ["box"]},
    "shifted": {"rate": 1.0, "sd_px": 2.0},
    "boundary": {"rate": 1.0, "shift_px": 1.5, "sd_px": 0.5},
    "spurious": {"rate": 0.8},
    "split": {"rate": 0.8},
    "merged": {"rate": 0.8, "max_gap_px": 12},
}
"""One setting of each error kind, strong enough to be seen."""


def draw_gallery(folder: str | Path) -> list[Path]:
    """Draw every picture: a simulated field with its truth, the nine error kinds, a plate map.

    Args:
        folder: Where the PNGs go.

    Returns:
        Their paths.
    """
    root = Path(folder)
    paths = [root / name for name in ("simulated-field.png", "error-kinds.png", "plate-map.svg")]
    draw_field(paths[0])
    draw_kinds(paths[1])
    draw_plate(paths[2])
    return paths


def draw_field(path: Path, *, rows: int = 256, columns: int = 340) -> None:
    """Draw a simulated field beside its truth in the four phases of autophagy."""
    from evaluation.report.pictures import compose

    field = simulate_field(_frame(rows, columns), seed=SEED, well="C05")
    figure = _figure(7.6, 3.2)
    left, right = figure.subplots(1, 2)
    left.imshow(compose(field.image, ("DsRed", "pHluorin")))
    left.set_title("DsRed magenta, pHluorin green", fontsize=8)
    right.imshow(_coloured(merge_classes(field.label_map, PHASES_TO_ROSELLA)))
    right.set_title("truth: phagophore green, autolysosome purple", fontsize=8)
    _save(figure, path)


def draw_kinds(path: Path, *, crop: tuple[slice, slice] = np.s_[120:216, 0:128]) -> None:
    """Draw a part of the same label map and what each error kind makes of it, the clean outlines in white."""
    phases = simulate_field(_frame(256, 340), seed=SEED, well="C05").label_map
    clean = merge_classes(phases, PHASES_TO_ROSELLA)[crop]
    figure = _figure(9.4, 3.3)
    panels = figure.subplots(2, 5).ravel()
    for axes, (name, settings) in zip(panels, [("clean", None), *KINDS.items()], strict=True):
        axes.imshow(_coloured(clean if settings is None else strike(clean, name, settings)), interpolation="nearest")
        axes.contour(clean > 0, levels=[0.5], colors="white", linewidths=0.6)
        axes.set_title(name, fontsize=8)
    _save(figure, path)


def strike(clean: LabelMap, kind: str, settings: Mapping[str, Any]) -> LabelMap:
    """Inject one error kind into a label map of the paper's three classes.

    Args:
        clean: (row, column) class indices. Not modified.
        kind: The kind's name.
        settings: Its settings.

    Examples:
        >>> clean = np.array([[0, 1, 1, 0], [0, 1, 1, 0]], np.uint8)
        >>> strike(clean, "missed", {"rate": 1.0}).any()
        np.False_
    """
    model = NoiseModel.from_dict({"classes": list(ROSELLA), "seed": SEED, kind: settings})
    return model.apply(clean, image_id="gallery").label_map


def draw_plate(path: Path, *, rows: int = 128, columns: int = 170, n_wells: int | None = None) -> None:
    """Screen a simulated plate, treated column by column, with the CIP, and draw the share of late events per well."""
    from evaluation.report.heatmaps import draw_plates
    from evaluation.report.measured_section import by_plate
    from noisylabels import simulation
    from noisylabels.parallel import InProcess
    from noisylabels.screening.measurements import measure_screen
    from noisylabels.screening.screen import Declaration, start_screen

    settings = _frame(rows, columns)
    layout = simulation.lay_out("treatments", settings.plate)
    plan = simulation.plan_fields(layout, n_fields=n_wells or len(layout), seed=SEED, plate="P1", fields_per_well=1)
    with TemporaryDirectory() as temporary:
        root = Path(temporary)
        simulation.simulate_dataset(root / "plate", settings, plan, seed=SEED, fractions=(1, 0, 0), workers=1)
        method = {"kind": "cip", "phases": False, "settings": {}}
        source, pattern = str(root / "plate" / "images"), "{plate}_{well}_f{field}.ome.tif"
        screen = start_screen(root / "run", Declaration(source=source, method=method, pattern=pattern))
        for _ in screen.run(InProcess()):
            pass
        wells = measure_screen(screen, root / "measurements").wells
    title = "autolysosomes of all events (CIP), treated column by column"
    write_bytes(path, draw_plates({title: by_plate(wells, "fraction_autolysosome")}).svg)


def _frame(rows: int, columns: int) -> SimulationSettings:
    return preset("rosella-lc3").replaced({"frame": {"rows": rows, "columns": columns}})


def _coloured(label_map: LabelMap) -> "np.ndarray[Any, Any]":
    from matplotlib.colors import to_rgb

    from evaluation.report.canvas import CLASS_COLOURS

    palette = np.array([(0.07, 0.08, 0.1), *(to_rgb(colour) for colour in CLASS_COLOURS[1:])])
    return palette[label_map]


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: "Figure", path: Path) -> None:
    for axes in figure.axes:
        axes.set_axis_off()
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")


if __name__ == "__main__":
    for written in draw_gallery(sys.argv[1]):
        print(written)  # noqa: T201 - what the command made

"""How long a simulated field takes on one core, beside the plain way to draw the same field and the cost of its noise.

    OMP_NUM_THREADS=1 python -m benchmarks.simulation [--json FILE]

Ours draws each event in a patch of its own and blurs it by two small matrix products per slice. The plain way, with the
same cells, events, optics and cameras, draws all events into one oversampled canvas of the whole frame per slice of
depth and blurs that with scipy's Gaussian filter. The floor is the noise of the two cameras alone, which no way avoids.
"""

import time
from collections.abc import Callable

import numpy as np
from scipy import ndimage as ndi

from benchmarks.ratios import Ratio, hand_over, option_parser
from noisylabels.simulation import SimulationSettings, simulate_field
from noisylabels.simulation.camera import expose
from noisylabels.simulation.microscope import take_plane
from noisylabels.simulation.plate import draw_effects
from noisylabels.simulation.rendering import LAYER_UM, render_event
from noisylabels.simulation.scene import Scene, draw_scene

REPEATS = 5


def median_seconds(work: Callable[[int], object], repeats: int = REPEATS) -> float:
    taken = []
    for index in range(repeats):
        start = time.perf_counter()
        work(index)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def scene_of(settings: SimulationSettings) -> Scene:
    effects = draw_effects(settings.plate, seed=1, plate="P1", well="D06", field=1, focus_sigma_um=0.0)
    return draw_scene(settings, (1, "P1", "D06", 1), effects)


def light_by_patches(scene: Scene) -> np.ndarray:
    light = np.zeros((2, *scene.shape))
    for event in scene.events:
        patch = render_event(
            event,
            scene.optics,
            height_um=scene.optics.focus_um,
            oversampling=scene.settings.frame.oversampling,
            shape=scene.shape,
        )
        if patch is not None:
            light[(slice(None), *patch.window)] += patch.light
    return light


def light_by_whole_frames(scene: Scene) -> np.ndarray:
    """Ellipsoids only (no irregular outlines, no shells): the plain way is given less to do."""
    fine, optics = scene.settings.frame.oversampling, scene.optics
    rows, columns = scene.shape
    light = np.zeros((2, rows, columns))
    for height in np.arange(-1.2, 1.2, LAYER_UM) + LAYER_UM / 2:
        canvas = np.zeros((2, rows * fine, columns * fine), np.float32)
        for event in scene.events:
            _draw_disc(canvas, event, optics.focus_um + height, optics.pixel_size_um / fine, fine)
        for channel in range(2):
            offset = np.array([height - optics.chromatic_um[channel]])
            weight = optics.section_weights(np.array([offset[0] - LAYER_UM / 2, offset[0] + LAYER_UM / 2]), channel)[0]
            blurred = ndi.gaussian_filter(canvas[channel], optics.sigma_px(offset, channel)[0] * fine, truncate=3)
            light[channel] += weight * blurred.reshape(rows, fine, columns, fine).mean(axis=(1, 3))
    return light


def _draw_disc(canvas: np.ndarray, event, height_um: float, sample_um: float, fine: int) -> None:
    inside = 1 - ((height_um - event.height_um) / event.shape.half_axes_um[2]) ** 2
    if inside <= 0:
        return
    reach = int(event.shape.reach_um / sample_um) + 1
    row, column = int(event.row * fine), int(event.column * fine)
    window = slice(max(0, row - reach), row + reach), slice(max(0, column - reach), column + reach)
    down = (np.arange(canvas.shape[1])[window[0], None] - event.row * fine) * sample_um
    right = (np.arange(canvas.shape[2])[window[1]] - event.column * fine) * sample_um
    cosine, sine = np.cos(event.shape.angle), np.sin(event.shape.angle)
    along, across = down * cosine + right * sine, right * cosine - down * sine
    mask = (along / event.shape.half_axes_um[0]) ** 2 + (across / event.shape.half_axes_um[1]) ** 2 < inside
    canvas[(slice(None), *window)] += mask * np.array(event.lumen_counts, np.float32)[:, None, None]


def main() -> None:
    options = option_parser(__doc__).parse_args()
    settings = SimulationSettings()
    stack = settings.replaced({"frame": {"planes": 5}})
    quarter = settings.replaced({"frame": {"rows": 256, "columns": 340}})
    scene = scene_of(settings)
    light = take_plane(scene, 0.0).light
    simulate_field(quarter, seed=0)  # imports and caches
    field = median_seconds(lambda index: simulate_field(settings, seed=index, well="D06"))
    planes = median_seconds(lambda i: simulate_field(stack, seed=i), 3)
    small = median_seconds(lambda i: simulate_field(quarter, seed=i))
    floor = median_seconds(lambda index: expose(light, settings.camera, np.random.default_rng(index)))
    ours = median_seconds(lambda _: light_by_patches(scene))
    plain = median_seconds(lambda _: light_by_whole_frames(scene), 1)
    print(f"events of this frame: {len(scene.events)}")
    whole = Ratio(
        "simulate a field of 680 x 512, one plane",
        *(field, "s", "wall", None, "", floor, "noise of the cameras alone"),
        aim="below 1 s",
        met=field < 1,
    )
    measured = [
        whole,
        Ratio("simulate a field of 680 x 512, five planes", planes, "s", "wall"),
        Ratio("simulate a quarter of 340 x 256, one plane", small, "s", "wall"),
        Ratio("light of the events, by patches", ours, "s", "wall", plain, "whole frames (scipy)"),
    ]
    hand_over(measured, options.json)


if __name__ == "__main__":
    main()

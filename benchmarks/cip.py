"""How long the CIP takes on one core, beside the same steps with scikit-image's stock functions.

    OMP_NUM_THREADS=1 python -m benchmarks.cip [--json FILE]

Both label the same simulated fields, 680 x 512 pixels, two channels, one plane and five; times are seconds of processor
time, so that other work on the machine does not count. The stock version replaces the deconvolution
(`restoration.richardson_lucy`), the flat discs (`white_tophat` with `disk`, decomposed into a sequence of small
elements, scikit-image's fast way), the circles (`transform.hough_circle` at whole radii) and the split of clumps
(`segmentation.watershed` with its lines, in one plane; in five planes that does not finish in minutes, so there it
floods without lines). The floor is the Fourier transforms of the deconvolution alone, which no way avoids: eight for
each iteration and channel. Each step is timed on the same input for both. scikit-image has no blind deconvolution: the
stock field gets the known-PSF one in place of our known-PSF one and keeps our blind part, which flatters it.
"""

import time
from collections.abc import Callable

import numpy as np
from scipy import fft
from scipy import ndimage as ndi
from skimage import feature, morphology, restoration, segmentation, transform

from benchmarks.ratios import Ratio, hand_over, option_parser
from noisylabels.cip import LCSB, segment_field
from noisylabels.cip.circles import find_circles
from noisylabels.cip.deconvolution import blind_richardson_lucy, richardson_lucy, theoretical_psf
from noisylabels.cip.discs import white_tophat
from noisylabels.cip.pipeline import deconvolve, split_channels
from noisylabels.cip.spots import find_small_red_spots, watershed_lines
from noisylabels.simulation import SimulationSettings, simulate_field

REPEATS = 3


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return float(np.median(taken))


def stock_tophat(stack: np.ndarray, radius_px: int) -> np.ndarray:
    disc = morphology.disk(radius_px, decomposition="sequence")
    return np.stack([morphology.white_tophat(plane, disc) for plane in stack])


def stock_circles(stack: np.ndarray) -> None:
    radii = np.arange(3, 31)
    for plane in stack:
        edges = feature.canny(plane, low_threshold=0.1 * np.ptp(plane), high_threshold=0.1 * np.ptp(plane))
        transform.hough_circle_peaks(transform.hough_circle(edges, radii), radii, threshold=0.2)


def stock_split(small: np.ndarray) -> np.ndarray:
    distance = ndi.distance_transform_edt(~small).astype(np.float32)
    if len(small) > 1:
        return np.asarray(segmentation.watershed(distance))
    return np.asarray(segmentation.watershed(distance[0], watershed_line=True))


def transforms_alone(stack: np.ndarray) -> None:
    for _ in range(2 * 10 * 4):
        fft.irfftn(fft.rfftn(stack), s=stack.shape)


def compare_steps(image: np.ndarray) -> list[tuple[str, float, float]]:
    red_counts, green_counts = split_channels(image)
    d = LCSB.deconvolution
    psf = theoretical_psf(
        n_planes=len(red_counts),
        radius_px=d.psf_radius_px,
        pixel_um=d.pixel_um,
        plane_step_um=d.plane_step_um,
        emission_nm=d.red_emission_nm,
        numerical_aperture=d.numerical_aperture,
        refractive_index=d.refractive_index,
    )
    red = deconvolve(red_counts, d, d.red_emission_nm)
    small = find_small_red_spots(red, LCSB.red)
    scaled = green_counts / green_counts.max()
    return [
        (
            "deconvolution, known PSF, 2 channels",
            2 * seconds(lambda: richardson_lucy(red_counts, psf, iterations=10)),
            2 * seconds(lambda: restoration.richardson_lucy(red_counts, psf, num_iter=10, clip=False), 1),
        ),
        (
            "deconvolution, blind, 2 channels",
            2 * seconds(lambda: blind_richardson_lucy(red_counts, psf, iterations=10)),
            float("nan"),
        ),
        (
            "top-hats, discs 25 and 15",
            seconds(lambda: [white_tophat(red, 25), white_tophat(red, 15)]),
            seconds(lambda: [stock_tophat(red, 25), stock_tophat(red, 15)], 1),
        ),
        (
            "circles, radii 3 to 30",
            seconds(lambda: [find_circles(plane, LCSB.circle_rings) for plane in scaled]),
            seconds(lambda: stock_circles(scaled), 1),
        ),
        (
            "split of clumps",
            seconds(lambda: watershed_lines(small)),
            seconds(lambda: stock_split(small), 1),
        ),
    ]


def main() -> None:
    options = option_parser(__doc__).parse_args()
    measured = []
    for n_planes, target in ((1, 1.0), (5, 5.0)):
        settings = SimulationSettings.from_dict({"frame": {"planes": n_planes}})
        image = simulate_field(settings, seed=1, well="D06").image
        segment_field(image)
        whole = seconds(lambda image=image: segment_field(image))
        floor = seconds(lambda image=image: transforms_alone(split_channels(image)[0]))
        steps = compare_steps(image)
        for name, ours, stock in steps:
            peer = {"peer": stock, "peer_name": "scikit-image's"} if np.isfinite(stock) else {}
            measured.append(Ratio(f"CIP, {n_planes} plane(s): {name}", ours, "s", "cpu", **peer))
        paired = [(ours, stock) for _, ours, stock in steps if np.isfinite(stock)]
        with_stock = whole + sum(stock - ours for ours, stock in paired)
        measured.append(
            Ratio(
                f"CIP, {n_planes} plane(s) of 680 x 512: whole field, all 15 steps",
                *(whole, "s", "cpu", with_stock, "scikit-image's where it has one", floor),
                floor_name="Fourier transforms of the deconvolution",
                aim=f"below {target:.0f} s",
                met=whole < target,
            )
        )
    hand_over(measured, options.json)


if __name__ == "__main__":
    main()

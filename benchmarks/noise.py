"""Label noise and label-issue detection: our time, the published approaches', and the floor, in one run on one core.

    python -m benchmarks.noise [--fields 60] [--markov-steps 180] [--json FILE]

The published generators' approaches are re-implemented plainly: a loop over objects that compares the whole map with
each id (omission, deformation), and a Markov walk of the boundary that repeats two distance transforms per step. The
floor is the time to find the connected components of one label map; for detection, to read the probabilities once.
"""

import os
import tracemalloc
import warnings
from collections.abc import Callable
from functools import partial
from time import perf_counter, process_time
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 - after the number of threads is set
from scipy import ndimage as ndi  # noqa: E402 - after the number of threads is set

from benchmarks.ratios import LeftOut, Ratio, hand_over, missing, option_parser  # noqa: E402 - as above
from noisylabels.noise.detection import find_label_issues  # noqa: E402 - after the number of threads is set
from noisylabels.noise.model import NoiseModel  # noqa: E402 - after the number of threads is set

SHAPE = (512, 680)
REPEATS = 7


def main() -> None:
    """Print all comparisons."""
    parser = option_parser(__doc__)
    parser.add_argument("--fields", type=int, default=60, help="Fields of the throughput estimate.")
    parser.add_argument("--markov-steps", type=int, default=180, help="Steps of the Markov walk.")
    options = parser.parse_args()
    clean, image = draw_field(0)
    print(f"One {SHAPE[1]} x {SHAPE[0]} field, {ndi.label(clean > 0)[1]} events; median CPU time of {REPEATS} runs.")
    floor, measured = 1e3 * seconds(lambda: ndi.label(clean)), []
    for name, settings, peer in comparisons(options.markov_steps):
        model = NoiseModel.from_dict(settings)
        ours = 1e3 * seconds(lambda model=model: model.apply(clean, image, image_id="a"))
        theirs = 1e3 * seconds(partial(peer, clean), repeats=1) if peer else None
        against = (theirs, "published approach" if peer else "", floor, "connected components")
        measured.append(Ratio(f"label noise, {SHAPE[1]} x {SHAPE[0]}: {name}", ours, "ms", "cpu", *against))
    throughput(options.fields)
    hand_over([*measured, detection()], options.json)


def comparisons(markov_steps: int) -> list[tuple[str, dict[str, Any], Callable[[np.ndarray], np.ndarray] | None]]:
    """List what is timed: a name, a noise model, the published approach to the same."""
    given = {"contrast": -2.0, "area": -1.0}
    return [
        ("missed 30 %", {"missed": {"rate": 0.3}}, omit_in_a_loop),
        ("misclassified 30 %", {"misclassified": {"rate": 0.3}}, None),
        ("missed and misclassified", {"missed": {"rate": 0.3}, "misclassified": {"rate": 0.2}}, omit_in_a_loop),
        ("missed 30 %, the dim and small first", {"missed": {"rate": 0.3, "given": given}}, None),
        ("incomplete 30 %", {"incomplete": {"rate": 0.3}}, None),
        ("boundary shift, every event", {"boundary": {"rate": 1.0}}, deform_in_a_loop),
        (
            f"boundary shift and jitter, every event (published: {markov_steps} steps)",
            {"boundary": {"rate": 1.0, "jitter_px": 1.0}},
            partial(walk_boundary, n_steps=markov_steps),
        ),
        (
            "all nine kinds",
            {name: {"rate": 0.2} for name in ("missed", "misclassified", "incomplete", "simplified", "shifted")}
            | {name: {"rate": 0.2} for name in ("boundary", "spurious", "split", "merged")},
            None,
        ),
    ]


def throughput(n_fields: int) -> None:
    """Extrapolate to a screen."""
    drawn = [draw_field(seed) for seed in range(min(n_fields, 12))]
    model = NoiseModel.from_dict({"missed": {"rate": 0.3}, "misclassified": {"rate": 0.1}, "boundary": {"rate": 1.0}})
    started = process_time()
    for field in range(n_fields):
        clean, image = drawn[field % len(drawn)]
        model.apply(clean, image, image_id=str(field))
    each = (process_time() - started) / n_fields
    print(f"\nmissed, misclassified and boundary: {each * 1e3:.0f} ms a field; 4,000 fields on 2 cores in", end=" ")
    print(f"{4000 * each / 2 / 60:.1f} minutes.")


def detection() -> Ratio | LeftOut:
    """Compare the pixel flags with cleanlab's: equal, how fast, how much memory."""
    if lacking := missing("label issues beside cleanlab", "cleanlab", "test"):
        return lacking
    labels, probabilities = draw_predictions()
    ours = seconds(lambda: find_label_issues(labels, probabilities))
    floor = seconds(lambda: probabilities.sum(axis=1))
    tracemalloc.start()
    flags = find_label_issues(labels, probabilities)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cleanlab's dependencies deprecate each other
        from cleanlab.segmentation.filter import find_label_issues as find_theirs

        theirs = seconds(lambda: find_theirs(labels, probabilities, n_jobs=1, verbose=False), repeats=3)
        same = np.array_equal(flags, find_theirs(labels, probabilities, n_jobs=1, verbose=False))
    print(f"detect: {flags.sum()} flags, equal to cleanlab's: {same}; at most +{peak:.1f} MB")
    against = (1e3 * theirs, "cleanlab n_jobs=1", 1e3 * floor, "reading the probabilities once")
    return Ratio(f"label issues, {len(labels)} x 3 x 256 x 340", 1e3 * ours, "ms", "cpu", *against)


def seconds(work: Callable[[], Any], *, repeats: int = REPEATS) -> float:
    """Take the median CPU time of some runs: other programs on the machine do not count."""
    taken = []
    for _ in range(repeats):
        started = process_time()
        work()
        taken.append(process_time() - started)
    return max(float(np.median(taken)), 1e-6) if max(taken) > 1e-3 else _short(work)


def _short(work: Callable[[], Any]) -> float:
    started = perf_counter()
    for _ in range(100):
        work()
    return (perf_counter() - started) / 100


def omit_in_a_loop(label_map: np.ndarray) -> np.ndarray:
    """Omit objects one by one, each found by comparing the whole map with its id."""
    random = np.random.default_rng(0)
    objects, n_objects = ndi.label(label_map > 0)
    noisy = np.zeros_like(label_map)
    for number in range(1, n_objects + 1):
        if random.random() >= 0.3:
            noisy[objects == number] = label_map[objects == number]
    return noisy


def deform_in_a_loop(label_map: np.ndarray) -> np.ndarray:
    """Erode or dilate objects one by one in the whole map."""
    random = np.random.default_rng(0)
    objects, n_objects = ndi.label(label_map > 0)
    noisy = np.zeros_like(label_map)
    for number in range(1, n_objects + 1):
        mask, size = objects == number, int(random.integers(1, 3))
        change = ndi.binary_dilation if random.random() < 0.5 else ndi.binary_erosion
        noisy[change(mask, iterations=size)] = label_map[mask].max()
    return noisy


def walk_boundary(label_map: np.ndarray, *, n_steps: int) -> np.ndarray:
    """Walk the boundary at random for some steps, with both distance transforms of the whole map at each."""
    random = np.random.default_rng(0)
    mask = label_map > 0
    for _ in range(n_steps):
        outside, inside = ndi.distance_transform_edt(~mask), ndi.distance_transform_edt(mask)
        grow = random.random() < 0.5
        edge = np.argwhere((outside == 1) if grow else (inside == 1))
        for row, column in edge:
            if random.random() < 0.2:
                mask[row, column] = grow
    return mask.astype(label_map.dtype)


def draw_field(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a field of about 130 discs of two classes, some in contact."""
    random = np.random.default_rng(seed)
    rows, columns = np.indices(SHAPE)
    clean = np.zeros(SHAPE, np.uint8)
    for _ in range(140):
        row, column, radius = random.uniform(0, SHAPE[0]), random.uniform(0, SHAPE[1]), random.uniform(2, 7)
        clean[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] = random.integers(1, 3)
    image = random.normal(100, 10, (2, *SHAPE)) + 50 * (clean > 0)
    return clean, image.astype(np.float32)


def draw_predictions(n_fields: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Draw smooth class probabilities and labels of which some regions are wrong."""
    random = np.random.default_rng(0)
    logits = random.normal(size=(n_fields, 3, 256, 340)).astype(np.float32)
    logits = 80 * ndi.gaussian_filter(logits, (0, 0, 6, 6)) + np.array([2, 0, 0], np.float32)[:, None, None]
    probabilities = np.exp(logits)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    labels = probabilities.argmax(axis=1)
    wrong = ndi.gaussian_filter(random.normal(size=labels.shape), (0, 4, 4)) > 0.15
    return np.where(wrong, (labels + 1) % 3, labels), probabilities


if __name__ == "__main__":
    main()

"""How fast the evaluation counts, beside other libraries and the physical floor, all in one run on one thread.

    OMP_NUM_THREADS=1 python -m benchmarks.evaluation [--json FILE]

(As a module: as a file it would shadow the room of its name.)

Fields have three classes: discs at random places, and as their prediction the same with events missed, misclassified,
incomplete and spurious, shifted by up to a pixel. Every line is CPU time, the best of several interleaved rounds; only
the ratios mean something. The floor of counting pixels is the time to copy both maps. "StarDist's definition" is the
published matching (IoU of all pairs of instances, Hungarian assignment above each threshold), written plainly here on
`ndi.label` per class. StarDist's own function and some other peers are timed where they are installed. They match at
two thresholds, ours at nineteen.
"""

import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib.util import find_spec

import numpy as np
from scipy import ndimage as ndi
from scipy.optimize import linear_sum_assignment

from benchmarks.ratios import LeftOut, Ratio, hand_over, missing, option_parser
from evaluation.metrics.boundary import count_boundaries, find_boundaries
from evaluation.metrics.counts import FieldKey
from evaluation.metrics.events import Events, find_events
from evaluation.metrics.fields import count_field, count_fields
from evaluation.metrics.matching import count_one_to_one
from evaluation.metrics.overlaps import Pairs, pair_boxes, pair_masks
from evaluation.metrics.pixels import count_pixels
from evaluation.metrics.settings import EvaluationSettings
from noisylabels.data.labels import ROSELLA
from noisylabels.noise.model import NoiseModel

warnings.filterwarnings("ignore", category=FutureWarning)  # MONAI's, about its own use of itself

ROUNDS = 5
N_QUARTERS = 306  # the paper's validation set
NOISE = {
    "missed": {"rate": 0.2},
    "misclassified": {"rate": 0.05},
    "incomplete": {"rate": 0.1},
    "spurious": {"rate": 0.1},
}

STARDIST = "StarDist's own matching on ndi.label (2)"
COCO = "pycocotools' dense table"
TIMES = {("256 x 340", "numpy", STARDIST): 10, ("512 x 680", "numpy", STARDIST): 20, ("boxes", "numba", COCO): 1}
"""What is promised: so many times less than that peer."""
SECONDS = {"events and errors, numba": 0.2, "160,000 events": 2.0, "in a chain": 0.2}
"""And so many seconds at most."""

Pair = tuple[np.ndarray, np.ndarray]
Work = Callable[[np.ndarray, np.ndarray], object]


def make_pairs(shape: tuple[int, int], n: int) -> list[Pair]:
    rng = np.random.default_rng(0)
    model = NoiseModel.from_dict(NOISE)
    pairs = []
    for number in range(n):
        reference = np.zeros(shape, np.uint8)
        for event in range(60):
            draw_disc(reference, rng.uniform(0, shape), rng.uniform(1.5, 7), 1 + event % 2)
        noisy = model.apply(reference, image_id=str(number)).label_map
        pairs.append((reference, np.roll(noisy, int(rng.integers(-1, 2)), axis=int(rng.integers(2)))))
    return pairs


def draw_disc(label_map: np.ndarray, centre: np.ndarray, radius: float, kind: int) -> None:
    low = np.maximum(0, np.floor(centre - radius)).astype(int)
    window = label_map[low[0] : int(centre[0] + radius) + 2, low[1] : int(centre[1] + radius) + 2]
    rows, columns = np.indices(window.shape)
    window[(rows + low[0] - centre[0]) ** 2 + (columns + low[1] - centre[1]) ** 2 <= radius**2] = kind


def best_ms(works: dict[str, tuple[Work, int]], pairs: list[Pair]) -> dict[str, float]:
    """Milliseconds per field, best round; the number beside each work is how many fields a round takes."""
    best = dict.fromkeys(works, np.inf)
    for work, n in works.values():
        work(*pairs[n % len(pairs)])
    for _ in range(ROUNDS):
        for name, (work, n) in works.items():
            start = time.process_time()
            for reference, prediction in pairs[:n]:
                work(reference, prediction)
            best[name] = min(best[name], 1000 * (time.process_time() - start) / n)
    return best


def beside(title: str, best: dict[str, float], floor: str = "") -> list[Ratio]:
    """Hold every work that is ours against every one that is not; the floor, where there is one, belongs to all."""
    below = {"floor": best[floor], "floor_name": floor} if floor else {}
    peers = [name for name in best if not name.startswith("ours") and name != floor]
    return [
        Ratio(f"{title}: {name}", best[name], "ms", "cpu", peer=best[peer], peer_name=peer, **below)
        for name in best
        if name.startswith("ours")
        for peer in peers
    ]


def with_aim(one: Ratio) -> Ratio:
    """Add what is promised of it, where anything is."""
    for (*words, peer), times in TIMES.items():
        if peer == one.peer_name and all(word in one.what for word in words) and one.peer_over is not None:
            aim = f"at most 1/{times} of that" if times > 1 else "less than that"
            return replace(one, aim=aim, met=one.peer_over >= times)
    for words_of, most in SECONDS.items():
        if words_of in one.what and isinstance(one.ours, float):
            return replace(one, aim=f"under {most} s", met=one.ours < most)
    return one


def copy_both(reference: np.ndarray, prediction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return reference.copy(), prediction.copy()


def ours_pixels(fast: bool) -> Work:
    return lambda reference, prediction: count_pixels(reference, prediction, n_classes=3, fast=fast)


def ours_boundary(fast: bool) -> Work:
    def work(reference: np.ndarray, prediction: np.ndarray) -> object:
        tolerance = EvaluationSettings().tolerance_of(reference.shape)
        counts = count_pixels(reference, prediction, n_classes=3, fast=fast)
        return counts, count_boundaries(reference, prediction, n_classes=3, tolerance_px=tolerance, fast=fast)

    return work


def scipy_distances(reference: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Boundary hits of every class by one distance transform per class and side."""
    tolerance = EvaluationSettings().tolerance_of(reference.shape)
    edges = [find_boundaries(one) for one in (reference, prediction)]
    counts = np.zeros((3, 4), int)
    for kind in range(1, 4):
        own = [edge == kind for edge in edges]
        near = [ndi.distance_transform_edt(~one) < tolerance for one in own]
        counts[kind - 1] = own[0].sum(), (own[0] & near[1]).sum(), own[1].sum(), (own[1] & near[0]).sum()
    return counts


def surface_distance_dice(reference: np.ndarray, prediction: np.ndarray) -> list[float]:
    from surface_distance import compute_surface_dice_at_tolerance, compute_surface_distances

    tolerance = EvaluationSettings().tolerance_of(reference.shape)
    return [
        compute_surface_dice_at_tolerance(
            compute_surface_distances(reference == kind, prediction == kind, (1.0, 1.0)), tolerance
        )
        for kind in range(3)
    ]


def one_hot(label_map: np.ndarray) -> "object":
    import torch

    return torch.from_numpy((label_map == np.arange(3, dtype=np.uint8)[:, None, None])[None])


def monai_surface_dice(reference: np.ndarray, prediction: np.ndarray) -> object:
    from monai.metrics import compute_surface_dice

    tolerance = EvaluationSettings().tolerance_of(reference.shape)
    return compute_surface_dice(one_hot(prediction), one_hot(reference), [tolerance] * 3, include_background=True)


def monai_confusion(reference: np.ndarray, prediction: np.ndarray) -> object:
    from monai.metrics import get_confusion_matrix

    return get_confusion_matrix(one_hot(prediction), one_hot(reference))


def torchmetrics_confusion(reference: np.ndarray, prediction: np.ndarray) -> object:
    import torch
    from torchmetrics.functional.classification import multiclass_confusion_matrix

    return multiclass_confusion_matrix(torch.from_numpy(prediction).long(), torch.from_numpy(reference).long(), 3)


def sklearn_confusion(reference: np.ndarray, prediction: np.ndarray) -> object:
    from sklearn.metrics import confusion_matrix

    return confusion_matrix(reference.ravel(), prediction.ravel(), labels=[0, 1, 2])


def ours_detection(fast: bool) -> Work:
    def work(reference: np.ndarray, prediction: np.ndarray) -> object:
        one, other = find_events(reference, fast=fast), find_events(prediction, fast=fast)
        pairs = pair_masks(one, other, fast=fast)
        same = one.class_index[pairs.reference] == other.class_index[pairs.prediction]
        return count_one_to_one(pairs.select(np.flatnonzero(same)), one.class_index, n_classes=3)[0]

    return work


def stardist_definition(reference: np.ndarray, prediction: np.ndarray) -> list[list[int]]:
    """Pairs found at IoU 0.1 and 0.5, per class."""
    found = []
    for kind in (1, 2):
        (one, n), (other, m) = (ndi.label(maps == kind, np.ones((3, 3))) for maps in (reference, prediction))
        overlap = np.zeros((n + 1, m + 1), int)
        np.add.at(overlap, (one.ravel(), other.ravel()), 1)
        union = overlap.sum(1, keepdims=True) + overlap.sum(0, keepdims=True) - overlap
        iou = (overlap / np.maximum(union, 1))[1:, 1:]
        hits = []
        for threshold in (0.1, 0.5):
            cost = -(iou >= threshold).astype(float) - iou / (2 * max(1, min(iou.shape)))
            hits.append(int((iou[linear_sum_assignment(cost)] >= threshold).sum()))
        found.append(hits)
    return found


def stardist_itself(reference: np.ndarray, prediction: np.ndarray) -> list[list[int]]:
    from stardist.matching import matching

    found = []
    for kind in (1, 2):
        one, other = (ndi.label(maps == kind, np.ones((3, 3)))[0] for maps in (reference, prediction))
        found.append([scores.tp for scores in matching(one, other, thresh=(0.1, 0.5))])
    return found


def regionprops_boxes(reference: np.ndarray, prediction: np.ndarray) -> list[int]:
    """Boxes from scikit-image, overlaps in a loop over pairs, one assignment per class."""
    from skimage.measure import label, regionprops

    found = []
    for kind in (1, 2):
        one, other = (
            [region.bbox for region in regionprops(label(maps == kind, connectivity=2))]
            for maps in (reference, prediction)
        )
        iou = np.array([[box_iou(a, b) for b in other] for a in one]).reshape(len(one), len(other))
        cost = -(iou >= 0.5).astype(float) - iou / (2 * max(1, min(iou.shape)))
        found.append(int((iou[linear_sum_assignment(cost)] >= 0.5).sum()))
    return found


def box_iou(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    height = min(one[2], other[2]) - max(one[0], other[0])
    width = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(height, 0) * max(width, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)


def check_agreement(pairs: list[Pair]) -> None:
    """The peers that count the same thing must find the same; else the times mean nothing."""
    for reference, prediction in pairs:
        tolerance = EvaluationSettings().tolerance_of(reference.shape)
        ours = count_boundaries(reference, prediction, n_classes=3, tolerance_px=tolerance)
        slow = count_boundaries(reference, prediction, n_classes=3, tolerance_px=tolerance, fast=False)
        assert np.array_equal(ours, slow)
        assert np.array_equal(ours, scipy_distances(reference, prediction))
        nsd = (ours[:, 1] + ours[:, 3]) / (ours[:, 0] + ours[:, 2])
        assert np.allclose(nsd, monai_surface_dice(reference, prediction)[0], atol=1e-6)
        confusion = count_pixels(reference, prediction, n_classes=3)
        assert np.array_equal(confusion, sklearn_confusion(reference, prediction))
        if find_spec("torchmetrics"):
            assert np.array_equal(confusion, torchmetrics_confusion(reference, prediction))
        hits = ours_detection(True)(reference, prediction)
        assert hits[1:, [1, 9]].tolist() == stardist_definition(reference, prediction)
        if find_spec("stardist"):
            assert stardist_itself(reference, prediction) == stardist_definition(reference, prediction)


def lack() -> list[LeftOut]:
    """Tell which peers are not installed."""
    lacking = [missing("torchmetrics' confusion matrix", "torchmetrics")]
    lacking.append(missing("surface-distance's boundary hits", "surface_distance"))
    if not find_spec("stardist"):
        lacking.append(LeftOut("StarDist's own matching", "stardist is not installed, and no extra installs it"))
    lacking.append(missing("pycocotools' overlaps of boxes", "pycocotools"))
    return [one for one in lacking if one is not None]


def compare(shape: tuple[int, int], n: int) -> list[Ratio]:
    pairs = make_pairs(shape, n)
    check_agreement(pairs[:3])
    size = f"{shape[0]} x {shape[1]}, 3 classes"
    works = {
        "copy both maps": (copy_both, n),
        "ours, numba": (ours_pixels(True), n),
        "ours, numpy": (ours_pixels(False), n),
        "MONAI confusion matrix": (monai_confusion, 20),
        "scikit-learn confusion_matrix": (sklearn_confusion, 5),
    }
    if find_spec("torchmetrics"):
        works["torchmetrics confusion matrix"] = (torchmetrics_confusion, 20)
    measured = beside(f"confusion matrix, {size}", best_ms(works, pairs), "copy both maps")
    works = {
        "ours, numba (with confusion)": (ours_boundary(True), n),
        "ours, numpy (with confusion)": (ours_boundary(False), n),
        "scipy distance transforms": (scipy_distances, 3),
        "MONAI surface dice": (monai_surface_dice, 3),
    }
    if find_spec("surface_distance"):
        works["surface-distance"] = (surface_distance_dice, 3)
    measured += beside(f"boundary hits of all classes, {size}", best_ms(works, pairs))
    works = {
        "ours, numba (19 thresholds)": (ours_detection(True), n),
        "ours, numpy (19 thresholds)": (ours_detection(False), n),
        "StarDist's definition on ndi.label (2)": (stardist_definition, 10),
        "scikit-image boxes, loop over pairs (1)": (regionprops_boxes, 5),
    }
    if find_spec("stardist"):
        works[STARDIST] = (stardist_itself, 10)
    return measured + beside(f"events matched one to one, {size}", best_ms(works, pairs))


def whole_set() -> list[Ratio]:
    pairs = make_pairs((256, 340), 51)
    quarters = [pairs[number % 51] for number in range(N_QUARTERS)]
    what, measured = f"the paper's set, {N_QUARTERS} quarters of 256 x 340", []
    for name, fast in (("numba", True), ("numpy", False)):
        work, best = ours_boundary(fast), [np.inf, np.inf]
        for _ in range(ROUNDS):
            start = time.process_time()
            for pair in quarters:
                work(*pair)
            middle = time.process_time()
            for pair in quarters:
                count_field(*pair, classes=ROSELLA, fast=fast)
            best = np.minimum(best, [middle - start, time.process_time() - middle])
        measured.append(Ratio(f"{what}: confusion and boundary F1, {name}", float(best[0]), "s", "cpu"))
        measured.append(Ratio(f"{what}: the same with events and errors, {name}", float(best[1]), "s", "cpu"))
    return measured


def extremes() -> list[Ratio]:
    """Fields that no one would time, and that someone will have."""
    many = np.zeros((800, 800), np.uint8)
    many[::2, ::2] = 1  # 160,000 events of one pixel
    tall = np.zeros((2160, 2160), np.uint8)
    tall[::16, ::16] = 1
    tall[:, 3] = 1  # and one across the whole field
    events, shifted = find_events(tall), find_events(np.roll(tall, 1, axis=0))
    ends = np.repeat(np.arange(5000), 2)
    chain = Pairs(ends[:-1], ends[1:], np.full(9999, 2), np.full(9999, 8))
    works: dict[str, Callable[[], object]] = {
        "160,000 events of one pixel, all counts, numpy": lambda: count_field(many, many, classes=ROSELLA, fast=False),
        "18,000 boxes, one as high as the field: overlaps, numpy": lambda: pair_boxes(events, shifted, fast=False),
        "5,000 events that overlap in a chain: pairs at 19 thresholds": lambda: count_one_to_one(
            chain, np.ones(5000, np.uint8), n_classes=2
        ),
    }
    measured = []
    for what, work in works.items():
        work()
        start = time.process_time()
        work()
        measured.append(Ratio(what, time.process_time() - start, "s", "cpu"))
    return [*measured, *small_boxes()]


def small_boxes() -> list[Ratio]:
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 200, (2, 30, 2))
    boxes = np.concatenate([corners, corners + rng.integers(3, 20, (2, 30, 2))], axis=2)
    one, other = (Events.from_boxes(part, np.ones(30, int)) for part in boxes)
    works: dict[str, Work] = {
        f"ours, {name}": partial(lambda fast, *_: pair_boxes(one, other, fast=fast), fast)
        for name, fast in (("numba", True), ("numpy", False))
    }
    if find_spec("pycocotools"):
        from pycocotools import mask

        sides = [np.hstack([part[:, [1, 0]], part[:, [3, 2]] - part[:, [1, 0]]]).astype(float) for part in boxes]
        works[COCO] = lambda *_: mask.iou(*sides, [0] * 30)
    best = best_ms({name: (work, 200) for name, work in works.items()}, [(boxes[0], boxes[1])] * 200)
    title = "overlaps of 30 and 30 boxes"
    return beside(title, best) or [Ratio(f"{title}: {name}", cost, "ms", "cpu") for name, cost in best.items()]


def memory() -> list[Ratio]:
    pair = make_pairs((512, 680), 1)[0]

    def fields(n: int) -> Iterator[tuple[FieldKey, np.ndarray, np.ndarray]]:
        for number in range(n):
            yield FieldKey(f"f{number}", "CDL"), pair[0].copy(), pair[1].copy()

    peaks = {}
    for n in (10, 100, 1000):
        tracemalloc.start()
        count_fields(fields(n), classes=ROSELLA)
        peaks[n] = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
    what = "peak memory while counting fields of 512 x 680 read one by one"
    return [Ratio(f"{what}: {n}", peaks[n], "MiB", "", floor=peaks[10], floor_name="10 fields") for n in (100, 1000)]


def main() -> None:
    import torch

    options = option_parser(__doc__).parse_args()
    torch.set_num_threads(1)
    measured = [*compare((256, 340), 51), *compare((512, 680), 20), *whole_set(), *extremes(), *memory()]
    hand_over([*map(with_aim, measured), *lack()], options.json)


if __name__ == "__main__":
    main()

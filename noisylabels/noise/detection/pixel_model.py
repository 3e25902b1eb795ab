"""Pixel model: a network's stand-in that trains in seconds, for a first look at the labels.

Softmax regression on a bank of Gaussian, gradient and Laplacian filters with their squares. It cannot know shapes; give
`detect` a network's out-of-fold probabilities when there are some.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.special import softmax

from noisylabels.data.arrays import RealArray

Floats = NDArray[np.float64]

SCALES_PX = (0.7, 1.5, 3.0, 6.0)
N_SAMPLES = 600
N_STEPS = 60
RIDGE = 1e-3


@dataclass(frozen=True)
class PixelModel:
    """A trained softmax regression.

    Args:
        weights: (feature + 1, class) weights, the last row the intercepts.
        means: (feature,) means that features are centred with.
        sds: (feature,) standard deviations that they are scaled with.
    """

    weights: Floats
    means: Floats
    sds: Floats

    def predict(self, image: RealArray) -> NDArray[np.float32]:
        """Predict (class, row, column) probabilities of a (channel, row, column) image."""
        bank = filter_bank(image)
        scaled = self.weights[:-1] / self.sds[:, None]
        logits = np.tensordot(scaled.T.astype(np.float32), bank, axes=1)
        logits += (self.weights[-1] - self.means @ scaled)[:, None, None].astype(np.float32)
        probabilities: NDArray[np.float32] = softmax(logits, axis=0)
        return probabilities


def fit_pixel_model(fields: Iterable[tuple[RealArray, RealArray]], *, n_classes: int, seed: int = 0) -> PixelModel:
    """Train on a few hundred pixels of each class from each field.

    Every sampled pixel stands for the pixels of its class in its field, so that probabilities keep the classes' shares.

    Args:
        fields: Images (channel, row, column) with their labels (row, column).
        n_classes: Number of classes, background included.
        seed: Same seed, same sample.
    """
    random = np.random.default_rng(seed)
    features, targets, shares = [], [], []
    for image, labels in fields:
        bank = filter_bank(image).reshape(-1, labels.size)
        for index in range(n_classes):
            places = np.flatnonzero(labels.reshape(-1) == index)
            sampled = random.choice(places, min(N_SAMPLES, len(places)), replace=False)
            features.append(bank[:, sampled].T)
            targets.append(np.full(len(sampled), index))
            shares.append(np.full(len(sampled), len(places) / max(len(sampled), 1)))
    sampled_features, weight = np.concatenate(features).astype(np.float64), np.concatenate(shares)
    means, sds = sampled_features.mean(axis=0), sampled_features.std(axis=0) + 1e-9
    design = np.column_stack([(sampled_features - means) / sds, np.ones(len(sampled_features))])
    return PixelModel(_fit_softmax(design, np.concatenate(targets), weight / weight.sum(), n_classes), means, sds)


def filter_bank(image: RealArray) -> NDArray[np.float32]:
    """Filter an image at four scales: (feature, row, column); each channel is z-scored first, robustly."""
    maps = []
    for channel in image.astype(np.float32):
        low, middle, high = np.percentile(channel, [25, 50, 99.5])
        scaled = np.log1p(np.maximum(channel - low, 0) / max(high - middle, 1e-9))
        for sigma in SCALES_PX:
            smooth = ndi.gaussian_filter(scaled, sigma)
            edge = sigma * ndi.gaussian_gradient_magnitude(scaled, sigma)
            blob = sigma**2 * ndi.gaussian_laplace(scaled, sigma)
            maps += [smooth, smooth**2, edge, blob]
    return np.array(maps)


def _fit_softmax(design: Floats, targets: NDArray[np.int64], weight: Floats, n_classes: int) -> Floats:
    from scipy.optimize import minimize

    chosen = np.eye(n_classes)[targets]

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(design.shape[1], n_classes)
        predicted = softmax(design @ weights, axis=1)
        value = -float(weight @ np.log(predicted[np.arange(len(targets)), targets] + 1e-12)) + RIDGE * float(
            flat @ flat
        )
        slope = design.T @ ((predicted - chosen) * weight[:, None]) + 2 * RIDGE * weights
        return value, slope.ravel()

    start = np.zeros(design.shape[1] * n_classes)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": N_STEPS})
    fitted: Floats = found.x.reshape(design.shape[1], n_classes)
    return fitted

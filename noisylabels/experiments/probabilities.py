"""Class probabilities of a trained bundle, for what label maps no longer tell."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def predict_probabilities(bundle: str, settings: Mapping[str, Any]) -> Iterator[NDArray[np.float32]]:
    """Predict class probabilities of the fields of a split, one field at a time.

    Args:
        bundle: Name or folder of the bundle.
        settings: Overrides of its inference config: dataset_dir, split, ckpt_path, ...

    Yields:
        (class, row, column) float32 of each field.
    """
    from noisylabels.data.images import read_image
    from noisylabels.learning.datalist import read_images
    from noisylabels.learning.models import load_model

    model = load_model(settings["ckpt_path"], bundle=bundle)
    for field in read_images(settings["dataset_dir"], split=str(settings.get("split", "all"))):
        yield model.probabilities(read_image(field["image"]))


def find_threshold(bundle: str, settings: Mapping[str, object]) -> float:
    """Find the marginal threshold on the training fields' own predictions; no label is looked at."""
    from noisylabels.learning.robust.threshold import marginal_threshold

    training = {**settings, "split": "training"}
    return marginal_threshold(1 - field[0] for field in predict_probabilities(bundle, training))

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
        (class, x, y) float32 of each field, with the pipeline's padding.
    """
    import torch
    from monai.bundle import ConfigParser

    from noisylabels.learning import launcher
    from noisylabels.learning.checkpoints import load_weights

    launch = launcher.plan_prediction(bundle, (), settings)
    parser = ConfigParser()
    parser.read_config(launch.config_files)
    parser["bundle_root"] = str(launch.bundle)
    for key, value in launch.values().items():
        parser[key] = value
    network = parser.get_parsed_content("network").eval()
    load_weights(network, settings["ckpt_path"])
    inferer, device = parser.get_parsed_content("inferer"), parser.get_parsed_content("device")
    with torch.no_grad():
        for batch in parser.get_parsed_content("dataloader"):
            for logits in inferer(batch["image"].to(device), network):
                yield torch.softmax(logits.float(), 0).cpu().numpy()


def find_threshold(bundle: str, settings: Mapping[str, Any]) -> float:
    """Find the marginal threshold on the training fields' own predictions; no label is looked at."""
    from noisylabels.learning.robust.threshold import marginal_threshold

    training = {**settings, "split": "training"}
    return marginal_threshold(1 - field[0] for field in predict_probabilities(bundle, training))

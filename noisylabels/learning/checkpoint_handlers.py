"""Handlers of a training's weights: the best are written, and what does not fit is refused in one sentence."""

from pathlib import Path

import monai.handlers
import torch
from ignite.engine import Engine, Events
from monai.networks.utils import get_state_dict

from noisylabels.learning.checkpoints import is_first_process, load_weights, save


class CheckpointLoader(monai.handlers.CheckpointLoader):
    """MONAI's handler, saying in one sentence what is wrong with a checkpoint.

    Args:
        load_path: `model.pt`.
        load_dict: `{"model": network}`.
        map_location: Device to read to.
    """

    def __call__(self, engine: Engine) -> None:
        """Load when the engine starts."""
        for network in self.load_dict.values():
            load_weights(network, self.load_path, map_location=self.map_location)
        engine.logger.info(f"Restored all variables from {self.load_path}")


class BestModelSaver:
    """Write the weights whenever the key metric reached a new best: a flat state dictionary, as `model.pt` is.

    Args:
        network: What to write; a `DistributedDataParallel` wrapper is left out.
        path: Usually `models/model.pt`; replaced in one step.
    """

    def __init__(self, network: torch.nn.Module, path: str | Path) -> None:
        self.network = network
        self.path = Path(path)

    def attach(self, engine: Engine) -> None:
        """Run after each validation by `engine`."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Write if this epoch is the best."""
        if engine.state.best_metric_epoch == engine.state.epoch and is_first_process():
            save(get_state_dict(self.network), self.path)

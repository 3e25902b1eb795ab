"""One line per epoch for the reader, one entry per epoch for the record."""

import json
import logging
import math
from pathlib import Path

from ignite.engine import Engine, Events
from monai.engines import Evaluator
from monai.handlers import ValidationHandler

from noisylabels.data.atomic import write_text
from noisylabels.data.errors import InputError
from noisylabels.learning.checkpoints import is_first_process

logger = logging.getLogger(__name__)


class Validation(ValidationHandler):
    """MONAI's validation every few epochs, and after the last one too, so that no training ends without a score.

    Args:
        validator: The engine that validates.
        interval: Epochs from one validation to the next.
    """

    def __init__(self, validator: Evaluator, interval: int = 1) -> None:
        super().__init__(interval=interval, validator=validator, epoch_level=True)

    def attach(self, engine: Engine) -> None:
        """Validate after each `interval`-th epoch of `engine` and after its last."""

        def is_due(engine: Engine, epoch: int) -> bool:
            return epoch % self.interval == 0 or epoch == engine.state.max_epochs

        engine.add_event_handler(Events.EPOCH_COMPLETED(event_filter=is_due), self)


class EpochReport:
    """Log the metrics of each epoch and keep them in metrics.json.

    Attach it after the `ValidationHandler`, so that the validation of the same epoch is in.

    Args:
        path: `metrics.json`; a list with one object per epoch. After a restart, later epochs are replaced.
        validator: The engine whose metrics are reported beside the trainer's own.
    """

    def __init__(self, path: str | Path, validator: Engine) -> None:
        self.path = Path(path)
        self.validator = validator

    def attach(self, engine: Engine) -> None:
        """Report each epoch of `engine`."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Report one epoch."""
        if not is_first_process():
            return
        validated = self.validator.state.metrics if self.validator.state.epoch == engine.state.epoch else {}
        metrics = {name: float(value) for name, value in {**engine.state.metrics, **validated}.items()}
        shown = ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        best = self.validator.state
        logger.info(
            "epoch %d/%d: %s (best %s %.4f in epoch %d)",
            engine.state.epoch,
            engine.state.max_epochs,
            shown,
            best.key_metric_name,
            best.best_metric,
            best.best_metric_epoch,
        )
        self._keep(engine.state.epoch, metrics)

    def _keep(self, epoch: int, metrics: dict[str, float]) -> None:
        earlier = _read_entries(self.path) if epoch > 1 and self.path.is_file() else []
        entries = [entry for entry in earlier if entry["epoch"] < epoch]
        # JSON has no nan: a class that occurs nowhere has no score.
        scores = {name: value if math.isfinite(value) else None for name, value in metrics.items()}
        write_text(self.path, json.dumps([*entries, {"epoch": epoch, **scores}], indent=1))


def _read_entries(path: Path) -> list[dict[str, float]]:
    try:
        entries = json.loads(path.read_text())
        whole = isinstance(entries, list) and all(isinstance(entry, dict) and "epoch" in entry for entry in entries)
    except ValueError:
        whole = False
    if not whole:
        msg = f"{path} must be the scores of this run, a list of epochs, but it is torn. Move it away and go on."
        raise InputError(msg)
    return list(entries)

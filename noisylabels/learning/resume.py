"""Exact resume: a training killed at any moment and started again ends with the same weights, bit by bit."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.handlers import TensorBoardStatsHandler
from monai.networks.utils import get_state_dict

from noisylabels.data.errors import InputError
from noisylabels.learning.checkpoints import is_first_process, load, refuse_other_network, remove_leftovers, save
from noisylabels.learning.description import describe, first_difference
from noisylabels.learning.tensorboard_files import drop_later_steps

LENGTHS = ("t_total", "warmup_steps")
"""Attributes of a schedule that a run may prolong."""

logger = logging.getLogger(__name__)


class ExactResume:
    """Keep all that decides the rest of a training in one file, and continue from it.

    After each epoch the weights, optimizer, learning-rate schedule, trainer, best score and scaler are written
    in one step, so that the file is always that of a whole epoch: a kill costs at most the epoch it fell in. With
    randomness keyed by (seed, epoch, field) nothing else is needed. Attach it last, after the handlers whose
    effect it must save.

    Args:
        path: `last.pt`, the file to continue from.
        network: The network in training; a `DistributedDataParallel` wrapper is left out.
        optimizer: Its optimizer.
        lr_scheduler: Its schedule.
        validator: The engine that knows the best score.
        states: Other objects with `state_dict` and `load_state_dict` that decide the rest of the training, by name:
            the teacher of a learning scheme.
        resume: False ignores the file, and replaces it after the first epoch.
        settings: What must be the same to continue: data digest, seed, batch size, loss, transforms ... Objects
            are compared by class and public settings. `max_epochs` is not among them: a run can be prolonged, and
            its schedule with it; then the rate rises again to where the longer schedule has it.
        restart_on_change: Start anew, with a warning, where other settings or data would be refused: for hosts that
            train again and again on growing data.
        log_dir: Folder of TensorBoard's files; what they tell of later steps than the file's is cut off.

    Raises:
        InputError: On the first start, if the file is of a run with other settings or another network; the message
            names the first setting that differs.
    """

    def __init__(
        self,
        path: str | Path,
        network: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        lr_scheduler: Any,
        validator: Engine,
        settings: Mapping[str, Any],
        states: Mapping[str, Any] | None = None,
        resume: bool = True,
        restart_on_change: bool = False,
        log_dir: str | Path | None = None,
    ) -> None:
        self.path = Path(path)
        self.network = network
        self.optimizer = optimizer
        self.lr_scheduler = lr_scheduler
        self.validator = validator
        self.settings = describe(dict(settings))
        self.states = dict(states or {})
        self.resume = resume
        self.restart_on_change = restart_on_change
        self.log_dir = log_dir
        self._started = False

    def attach(self, engine: Engine) -> None:
        """Load when `engine` starts for the first time, save after each of its epochs."""
        self.settings |= {
            "learning scheme": _described_scheme(engine),
            "states": {name: describe(part) for name, part in self.states.items()},
        }
        if is_first_process():
            remove_leftovers(self.path.parent)
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.save)

    def save(self, engine: Engine) -> None:
        """Write the state of the run."""
        if not is_first_process():
            return
        best = self.validator.state
        state = {
            "settings": self.settings,
            "network": get_state_dict(self.network),
            "optimizer": self.optimizer.state_dict(),
            "lr_scheduler": self.lr_scheduler.state_dict(),
            "trainer": {"epoch": engine.state.epoch, "iteration": engine.state.iteration},
            "states": {name: part.state_dict() for name, part in self.states.items()},
            "best": {"metric": float(best.best_metric), "epoch": int(best.best_metric_epoch)},
        }
        save(state, self.path)

    def start(self, engine: Engine) -> None:
        """Continue from the file, if there is one; once, for a host that starts the engine again goes on itself."""
        if self._started:
            return
        self._started = True
        state = load(self.path) if self.resume and self.path.is_file() else None
        change = self._find_change(state) if state is not None else ""
        if change and not self.restart_on_change:
            msg = (
                f"{change} Repeat the settings of that run, name another --output_dir and --ckpt_dir, or start anew: "
                "--resume False."
            )
            raise InputError(msg)
        if change:
            logger.warning("Starting anew: %s", change)
            state = None
        if self.log_dir is not None and is_first_process():
            reached = state["trainer"] if state is not None else {"epoch": 0, "iteration": 0}
            drop_later_steps(self.log_dir, **reached, iteration_tags=_iteration_tags(engine))
        if state is not None:
            self._continue(engine, state)

    def _continue(self, engine: Engine, state: Mapping[str, Any]) -> None:
        getattr(self.network, "module", self.network).load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        lengths = {name: getattr(self.lr_scheduler, name) for name in LENGTHS if hasattr(self.lr_scheduler, name)}
        self.lr_scheduler.load_state_dict({**state["lr_scheduler"], **lengths})
        for name, part in self.states.items():  # the same names as then: they are among the settings
            part.load_state_dict(state["states"][name])
        engine.state.epoch = state["trainer"]["epoch"]
        engine.state.iteration = state["trainer"]["iteration"]
        self.validator.state.best_metric = state["best"]["metric"]
        self.validator.state.best_metric_epoch = state["best"]["epoch"]
        if engine.state.epoch >= engine.state.max_epochs:
            logger.info("%s is of a finished run of %d epochs: nothing to do", self.path, engine.state.epoch)
            engine.terminate()
        else:
            logger.info("continuing after epoch %d of %s", engine.state.epoch, self.path)

    def _find_change(self, state: Mapping[str, Any]) -> str:
        """Return what differs from the run in the file; "" if nothing does but a longer schedule, which is logged."""
        refuse_other_network(getattr(self.network, "module", self.network), state["network"], source=str(self.path))
        then, longer = _prolonged(state["settings"], self.settings)
        difference = first_difference(then, self.settings)
        if difference is not None:
            name, old, new = difference
            return f"{name} must be {old} to continue {self.path}, got {new}."
        if longer:
            logger.warning("The schedule is longer than that of %s: these weights would not come of one run", self.path)
        return ""


def _prolonged(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Update the older settings to the newer length of the schedule, if it is longer, and tell whether it is."""
    old, new = then.get("lr_scheduler"), now.get("lr_scheduler")
    if not (isinstance(old, Mapping) and isinstance(new, Mapping) and old.get("t_total", 0) < new.get("t_total", 0)):
        return dict(then), False
    lengths = {name: new[name] for name in LENGTHS if name in new}
    return {**then, "lr_scheduler": {**old, **lengths}}, True


def _iteration_tags(engine: Engine) -> set[str]:
    """Return what TensorBoard is told by the iteration."""
    watching = _watching(engine)
    return {one.tag_name for one in watching if isinstance(one, TensorBoardStatsHandler) and one.iteration_log}


def _watching(engine: Engine) -> list[object]:
    """List the objects whose methods `engine` calls."""
    return [
        getattr(handler, "__self__", handler)
        for handlers in engine._event_handlers.values()
        for handler, *_ in handlers
    ]


def _described_scheme(engine: Engine) -> dict[str, Any]:
    """Describe what a preset puts into the trainer: how batches are prepared, how a step is made, who watches."""
    parts = {name: getattr(engine, name, None) for name in ("prepare_batch", "iteration_update")}
    schemes = [part for part in (*parts.values(), *_watching(engine)) if _is_scheme(part)]
    return {type(part).__name__: describe(part) for part in schemes}


def _is_scheme(part: object) -> bool:
    return type(part).__module__.startswith("noisylabels.learning.robust.")

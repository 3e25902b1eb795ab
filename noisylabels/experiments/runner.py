"""Going through a grid: what is done stays done, what failed is named, shards share the work."""

import contextlib
import json
import logging
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from noisylabels import __version__
from noisylabels.data.atomic import write_text
from noisylabels.data.dataset import Dataset
from noisylabels.experiments.budget import Budget
from noisylabels.experiments.declaration import Data, Declaration
from noisylabels.experiments.grid import Run, identify, list_runs, recipe_of, shard_of
from noisylabels.experiments.trial import RESULT, execute
from noisylabels.experiments.workspace import Workspace, hash_data

FAILURE, LOG = "failure.txt", "train.log"


@dataclass(frozen=True)
class Planned:
    """A run with its identity and where it stands.

    Args:
        run: The run.
        identity: Its id.
        state: "done", "failed" or "missing".
        seconds: How long it took, None unless done.
    """

    run: Run
    identity: str
    state: str
    seconds: float | None = None


class Engine(Protocol):
    """Where the runs of a grid are done: one after the other here (`InTurn`), or on a cluster."""

    def run(self, workspace: Workspace, data: Dataset, items: Sequence[Planned], budget: Budget) -> Iterator[Planned]:
        """Do runs within a budget, and give each as it ends."""


class InTurn:
    """Runs one after the other in this process."""

    def run(self, workspace: Workspace, data: Dataset, items: Sequence[Planned], budget: Budget) -> Iterator[Planned]:
        """Do runs within a budget, and give each as it ends.

        Raises:
            InputError: If the budget does not suffice for the next run.
        """
        for item in items:
            budget.require()
            start = time.perf_counter()
            ended = attempt(workspace, data, item)
            budget.count(time.perf_counter() - start, ended.seconds)
            yield ended


def plan(declaration: Declaration, folder: Path) -> list[Planned]:
    """List the runs of a declaration, their ids, and which are done.

    Args:
        declaration: The declaration.
        folder: The experiment's folder; data are simulated into it now if they are not there yet.
    """
    workspace = Workspace(folder, declaration)
    return _plan(workspace, workspace.data())


def run_grid(
    declaration: Declaration,
    folder: Path,
    *,
    shard: tuple[int, int] = (0, 1),
    only_failed: bool = False,
    engine: Engine | None = None,
) -> Iterator[Planned]:
    """Do every run that is not done yet, and give each as it ends.

    Args:
        declaration: The declaration.
        folder: The experiment's folder.
        shard: Which share of the runs to do: (i, n), i from 0.
        only_failed: Do only the runs that failed before.
        engine: Where to do them: `noisylabels.experiments.cluster.DaskWorkers`, or in this process when None.

    Raises:
        InputError: If the budget does not suffice for one run, as the runs so far took.
        ConnectionError: If the engine's scheduler cannot be reached, or is lost.
    """
    workspace = Workspace(folder, declaration)
    data = workspace.data()
    wanted = "failed" if only_failed else ("missing", "failed")
    mine = [item for item in _plan(workspace, data) if shard_of(item.identity, shard[1]) == shard[0]]
    budget = Budget(declaration.max_hours, [item.seconds for item in mine if item.seconds is not None])
    items = [item for item in mine if item.state in wanted]
    return (engine or InTurn()).run(workspace, data, items, budget)


def estimate_seconds(planned: list[Planned]) -> float | None:
    """Seconds a run takes, as the done ones did (their mean); None while none is done."""
    known = [item.seconds for item in planned if item.seconds is not None]
    return sum(known) / len(known) if known else None


def probe_seconds(declaration: Declaration, folder: Path) -> float:
    """Time one epoch of the first run and multiply by the epochs: the price of a run before any is done."""
    overrides = dict(declaration.overrides)
    epochs = int(overrides.get("num_epochs", 15))
    probe = replace(declaration, overrides=overrides | {"num_epochs": 1})
    with tempfile.TemporaryDirectory() as place:
        workspace = Workspace(Path(place), replace(probe, data=_there(declaration, folder)))
        data = workspace.data()
        seconds = []
        for number in range(2):  # the first one also pays for the imports
            start = time.perf_counter()
            with _logged_to(Path(place) / LOG):
                execute(workspace, data, list_runs(probe)[0], f"probe{number}")
            seconds.append(time.perf_counter() - start)
    return seconds[1] * epochs


def _there(declaration: Declaration, folder: Path) -> Data:
    where = Workspace(folder, declaration).data().folder
    return replace(declaration.data, folder=str(where), imported=None, simulate=None, toy=None)


def attempt(workspace: Workspace, data: Dataset, item: Planned) -> Planned:
    """Do one run; what it prints goes to its `train.log`, and why it failed to its `failure.txt`.

    Returns:
        The same run, done or failed.
    """
    folder = workspace.run_folder(item.identity)
    failure = folder / FAILURE
    try:
        with _logged_to(folder / LOG):
            outcome = execute(workspace, data, item.run, item.identity)
    except Exception as error:
        write_text(failure, f"{error}\n\n{traceback.format_exc()}")
        return Planned(item.run, item.identity, "failed")
    failure.unlink(missing_ok=True)
    return Planned(item.run, item.identity, "done", outcome.seconds)


@contextlib.contextmanager
def _logged_to(path: Path) -> Iterator[None]:
    """Send what a training prints and logs to a file of its own: a grid shows one line per run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file, contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        try:
            yield
        finally:
            # The bundle's logging.conf made handlers that hold this file; the next run makes its own.
            for logger in (logging.root, *map(logging.getLogger, list(logging.root.manager.loggerDict))):
                logger.handlers = [handler for handler in logger.handlers if getattr(handler, "stream", None) != file]


def _plan(workspace: Workspace, data: Dataset) -> list[Planned]:
    hashed = hash_data(data)
    planned = []
    for run in list_runs(workspace.declaration):
        identity = identify(recipe_of(run, workspace.declaration), data=hashed, code=__version__)
        planned.append(look(workspace, run, identity))
    return planned


def look(workspace: Workspace, run: Run, identity: str) -> Planned:
    """Look up where a run stands."""
    folder = workspace.run_folder(identity)
    if (folder / RESULT).is_file():
        return Planned(run, identity, "done", json.loads((folder / RESULT).read_text())["seconds"])
    return Planned(run, identity, "failed" if (folder / FAILURE).is_file() else "missing")

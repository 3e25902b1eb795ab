"""Going through a grid: what is done stays done, what failed is named, shards share the work."""

import contextlib
import json
import logging
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from noisylabels import __version__
from noisylabels.data.atomic import write_text
from noisylabels.data.dataset import Dataset
from noisylabels.data.errors import InputError
from noisylabels.experiments.budget import Budget
from noisylabels.experiments.declaration import Data, Declaration
from noisylabels.experiments.grid import Run, identify, list_runs, recipe_of
from noisylabels.experiments.run import RESULT, execute
from noisylabels.experiments.workspace import Workspace, hash_data
from noisylabels.parallel import Engine, InProcess, Shard, WorkerDiedError, run

FAILURE, LOG = "failure.txt", "train.log"

_alone = threading.Lock()  # a training seeds its whole process and redirects what it prints: one at a time


@dataclass(frozen=True)
class Planned:
    """A run with its id and where it stands.

    Args:
        run: The run.
        run_id: Its id.
        state: "done", "failed" or "missing".
        seconds: How long it took, None unless done.
    """

    run: Run
    run_id: str
    state: str
    seconds: float | None = None


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
    shard: Shard | None = None,
    only_failed: bool = False,
    engine: Engine | None = None,
) -> Iterator[Planned]:
    """Train every run that is not done yet, and give each as it ends.

    Args:
        declaration: The declaration.
        folder: The experiment's folder.
        shard: Which share of the runs to do; all when None.
        only_failed: Do only the runs that failed before.
        engine: Where to do them: `noisylabels.parallel.DaskCluster`, or in this process when None.

    Raises:
        InputError: If the budget does not suffice for one run, as the runs so far took.
        ConnectionError: If the engine's scheduler cannot be reached, or is lost.
    """
    workspace = Workspace(folder, declaration)
    data = workspace.data()
    wanted = "failed" if only_failed else ("missing", "failed")
    mine = [item for item in _plan(workspace, data) if shard is None or shard.holds(item.run_id)]
    budget = Budget(declaration.max_hours, [item.seconds for item in mine if item.seconds is not None])
    items = [item for item in mine if item.state in wanted]
    return _run_within(budget, workspace, data, items, engine or InProcess())


def _run_within(
    budget: Budget, workspace: Workspace, data: Dataset, items: Sequence[Planned], engine: Engine
) -> Iterator[Planned]:
    """Run within a budget. Until the first has shown the price of one, it goes alone."""
    waiting, begun = deque(items), dict[str, float]()

    def taken() -> Iterator[Planned]:
        while waiting:
            item = waiting.popleft()
            begun[item.run_id] = time.monotonic()
            yield item

    def may_begin() -> bool:
        if not begun:
            if waiting:
                budget.require()
            return True
        return bool(budget.known) and budget.fits([time.monotonic() - start for start in begun.values()])

    # Workers stand elsewhere.
    workspace = replace(workspace, folder=workspace.folder.resolve())
    work = partial(do_run, workspace, replace(data, folder=data.folder.resolve()), version=__version__)
    for item, result in run(work, taken(), engine=engine, may_begin=may_begin):
        ended = _blamed(workspace, item) if isinstance(result, WorkerDiedError) else result
        budget.count(time.monotonic() - begun.pop(item.run_id), ended.seconds)
        yield ended


def do_run(workspace: Workspace, data: Dataset, item: Planned, version: str) -> Planned:
    """Train one run, here or in a worker; a run that another worker finished meanwhile is not done again.

    Args:
        workspace: The experiment's folder.
        data: Its fields.
        item: The run.
        version: The version of this package where the grid was started.

    Raises:
        InputError: If the worker has another version, or does not see the data.
    """
    if version != __version__:
        msg = (
            f"A worker must have noisylabels {version} as its grid has, got {__version__}. Install that version there."
        )
        raise InputError(msg)
    if not (data.folder / "dataset.json").is_file():
        msg = f"A worker must see the grid's folders under the same path, but {data.folder} is not there. Share them."
        raise InputError(msg)
    with _alone:
        there = look(workspace, item.run, item.run_id)
        return there if there.state == "done" else attempt(workspace, data, item)


def _blamed(workspace: Workspace, item: Planned) -> Planned:
    ended = look(workspace, item.run, item.run_id)  # it may have been whole before its worker was lost
    if ended.state == "done":
        return ended
    msg = "A run must not end its worker, but each worker that did it was lost. Look for a shortage of memory."
    write_text(workspace.run_folder(item.run_id) / FAILURE, msg)
    return Planned(item.run, item.run_id, "failed")


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
    """Train one run; what it prints goes to its `train.log`, and why it failed to its `failure.txt`.

    Returns:
        The same run, done or failed.
    """
    folder = workspace.run_folder(item.run_id)
    failure = folder / FAILURE
    try:
        with _logged_to(folder / LOG):
            outcome = execute(workspace, data, item.run, item.run_id)
    except Exception as error:
        write_text(failure, f"{error}\n\n{traceback.format_exc()}")
        return Planned(item.run, item.run_id, "failed")
    failure.unlink(missing_ok=True)
    return Planned(item.run, item.run_id, "done", outcome.seconds)


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
    for each in list_runs(workspace.declaration):
        run_id = identify(recipe_of(each, workspace.declaration), data=hashed, code=__version__)
        planned.append(look(workspace, each, run_id))
    return planned


def look(workspace: Workspace, run: Run, run_id: str) -> Planned:
    """Return where a run stands."""
    folder = workspace.run_folder(run_id)
    if (folder / RESULT).is_file():
        return Planned(run, run_id, "done", json.loads((folder / RESULT).read_text())["seconds"])
    return Planned(run, run_id, "failed" if (folder / FAILURE).is_file() else "missing")

"""Going through a grid: what is done stays done, what failed is named, shards share the work."""

import contextlib
import json
import logging
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from experiments.declaration import Data, Declaration
from experiments.grid import Run, identify, list_runs, recipe_of, shard_of
from experiments.trial import RESULT, execute
from experiments.workspace import Workspace
from imaging.dataset import Dataset
from noisylabels import __version__
from noisylabels.atomic import write_text
from noisylabels.errors import InputError

FAILURE, LOG = "failure.txt", "train.log"
SECONDS_PER_HOUR = 3600


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


def plan(declaration: Declaration, folder: Path) -> list[Planned]:
    """List the runs of a declaration, their ids, and which are done.

    Args:
        declaration: The declaration.
        folder: The experiment's folder; data are simulated into it now if they are not there yet.
    """
    workspace = Workspace(folder, declaration)
    data = workspace.data_hash()
    planned = []
    for run in list_runs(declaration):
        identity = identify(recipe_of(run, declaration), data=data, code=__version__)
        planned.append(_look(workspace, run, identity))
    return planned


def run_grid(
    declaration: Declaration,
    folder: Path,
    *,
    shard: tuple[int, int] = (0, 1),
    only_failed: bool = False,
    on_run: Callable[[Planned], object] = lambda _: None,
) -> Iterator[Planned]:
    """Do every run that is not done yet, and give each as it ends.

    Args:
        declaration: The declaration.
        folder: The experiment's folder.
        shard: Which share of the runs to do: (i, n), i from 0.
        only_failed: Do only the runs that failed before.
        on_run: Called before each run starts.

    Raises:
        InputError: If the budget does not suffice for one run, as the runs so far took.
    """
    workspace = Workspace(folder, declaration)
    data = workspace.data()
    wanted = "failed" if only_failed else ("missing", "failed")
    mine = [item for item in plan(declaration, folder) if shard_of(item.identity, shard[1]) == shard[0]]
    remaining, spent = declaration.max_hours * SECONDS_PER_HOUR, 0.0
    for item in mine:
        if item.state not in wanted:
            continue
        expected = estimate_seconds(mine) or 0.0
        if spent + expected > remaining:
            msg = (
                f"max_hours must allow at least one more run of about {expected:.0f} s, got {declaration.max_hours} h, "
                f"of which {spent:.0f} s are spent. Raise it and start again: what is done is kept."
            )
            raise InputError(msg)
        on_run(item)
        start = time.perf_counter()
        ended = _attempt(workspace, data, item)
        spent += time.perf_counter() - start
        mine = [ended if other.identity == item.identity else other for other in mine]
        yield ended


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


def _attempt(workspace: Workspace, data: Dataset, item: Planned) -> Planned:
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


def _look(workspace: Workspace, run: Run, identity: str) -> Planned:
    folder = workspace.run_folder(identity)
    if (folder / RESULT).is_file():
        return Planned(run, identity, "done", json.loads((folder / RESULT).read_text())["seconds"])
    return Planned(run, identity, "failed" if (folder / FAILURE).is_file() else "missing")

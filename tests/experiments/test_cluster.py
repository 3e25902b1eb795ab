"""A grid on Dask workers: the tables of a plain run, whatever dies on the way, and never beyond the budget."""

import contextlib
import json
import os
import re
import signal
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from noisylabels import __version__
from noisylabels.cli import main
from noisylabels.data.errors import InputError
from noisylabels.experiments.budget import Budget
from noisylabels.experiments.reading import declare
from noisylabels.experiments.runner import do_run, plan, run_grid
from noisylabels.experiments.workspace import Workspace
from noisylabels.parallel import DaskCluster
from tests.experiments.test_runner import GRID, tables_of
from tests.running import run_command
from tests.screening.test_executors import started_cluster

SHORT = {**GRID, "grid": {"noise": ["random"], "dose": [0, 0.3, 0.5], "method": ["gdl"]}}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    declaration = declare(SHORT)
    assert [item.state for item in run_grid(declaration, folder)] == ["done"] * 3
    return tables_of(declaration, folder)


@pytest.fixture(scope="module")
def cluster():
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as running:
        yield running


class Future:
    """A future as far as a grid looks at it."""

    def __init__(self, result):
        self.result = result


def kill_the_busy_one(cluster):
    """Kill -9 the worker that has the run; its nanny starts another process."""
    busy = next(worker.name for worker in list(cluster.scheduler.workers.values()) if worker.processing)
    os.kill(cluster.workers[busy].pid, signal.SIGKILL)


def once_under_way(folder, act):
    """Act as soon as a run has begun, in a thread of its own."""

    def watch():
        while not list(folder.glob("runs/*/recipe.json")):
            time.sleep(0.01)
        act()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def test_runs_on_workers_end_with_the_tables_of_a_plain_run_and_within_the_budget(plain, cluster, tmp_path):
    engine, declaration = DaskCluster(cluster.scheduler_address, ahead=1), declare(SHORT)
    poor = replace(declaration, max_hours=1e-9)
    ended = []
    with pytest.raises(
        InputError, match=r"^max_hours must allow at least one more run of about [1-9]\d* s, got 1e-09 h"
    ):
        ended.extend(run_grid(poor, tmp_path, engine=engine))
    # The price of a run is not known before one has ended: as in a plain run, one was done and no second one begun.
    assert [item.state for item in plan(declaration, tmp_path)].count("done") == 1
    assert len(list(tmp_path.glob("runs/*/recipe.json"))) == 1
    rest = list(run_grid(declaration, tmp_path, engine=engine))
    assert [item.state for item in rest] == ["done"] * 2
    assert tables_of(declaration, tmp_path) == plain
    assert list(run_grid(declaration, tmp_path, engine=engine)) == []


@pytest.mark.slow
def test_a_lost_worker_costs_nothing_but_time(plain, cluster, tmp_path):
    engine, declaration = DaskCluster(cluster.scheduler_address, ahead=1), declare(SHORT)
    before, cluster.scheduler.allowed_failures = cluster.scheduler.allowed_failures, 0
    try:
        thread = once_under_way(tmp_path, lambda: kill_the_busy_one(cluster))
        items = list(run_grid(declaration, tmp_path, engine=engine))
        thread.join()
    finally:
        cluster.scheduler.allowed_failures = before
    assert [item.state for item in items] == ["done"] * 3  # what was given up on was done again, alone
    assert tables_of(declaration, tmp_path) == plain


@pytest.mark.slow
def test_a_lost_scheduler_is_one_sentence_and_the_rest_can_be_done_without_it(plain, tmp_path, capsys):
    declaration, out = declare(SHORT), tmp_path / "out"
    file = tmp_path / "grid.yaml"
    file.write_text(json.dumps(SHORT))
    with started_cluster(tmp_path) as (scheduler, address):
        thread = once_under_way(out, scheduler.kill)
        with pytest.raises(SystemExit) as stop:
            main(["experiment", "run", str(file), "--out", str(out), "--scheduler", address])
        thread.join()
    assert stop.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith(f"noisylabels: The scheduler {address} must live until the end, but it is gone. What was ")
    assert told.count("\n") == 1
    assert {item.state for item in run_grid(declaration, out)} == {"done"}
    assert tables_of(declaration, out) == plain


def test_no_scheduler_is_one_sentence_and_code_2(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("noisylabels.parallel.dask.CONNECT_S", 0.3)
    (tmp_path / "grid.yaml").write_text(json.dumps(SHORT))
    words = ["experiment", "run", str(tmp_path / "grid.yaml"), "--out", str(tmp_path / "out")]
    assert run_command(*words, "--scheduler", "tcp://127.0.0.1:9") == 2
    told = capsys.readouterr().err
    assert told.startswith("noisylabels: tcp://127.0.0.1:9 must be a Dask scheduler, but it does not answer")
    assert told.count("\n") == 1


def test_a_scheduler_without_workers_is_one_sentence(tmp_path, monkeypatch):
    without = SimpleNamespace(nthreads=dict, status="running")
    monkeypatch.setattr("noisylabels.parallel.dask.connected", lambda *_: contextlib.nullcontext(without))
    message = (
        "The scheduler tcp://host:1 must have a worker, but none came. "
        "Start one with `dask worker tcp://host:1 --nthreads 1`."
    )
    with pytest.raises(ConnectionError, match=f"^{re.escape(message)}$"):
        list(run_grid(declare(SHORT), tmp_path, engine=DaskCluster("tcp://host:1", connect_s=0.5)))


@pytest.mark.parametrize(("whole", "state"), [(True, "done"), (False, "failed")])
def test_a_run_that_was_whole_before_its_worker_was_lost_is_done(tmp_path, monkeypatch, whole, state):
    from distributed import KilledWorker

    def submit(function, batch, *, pure, resources):
        (item,) = batch
        if whole:
            workspace = Workspace(tmp_path, declare(SHORT))
            path = workspace.run_folder(item.run_id) / "result.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text('{"seconds": 1.0}')
        return Future(lost)

    def lost():
        raise KilledWorker(task="do_run", last_worker=None, allowed_failures=0)

    client = SimpleNamespace(nthreads=lambda: {"tcp://host:2": 1}, status="running", submit=submit)
    monkeypatch.setattr("noisylabels.parallel.dask.connected", lambda *_: contextlib.nullcontext(client))
    monkeypatch.setattr("noisylabels.parallel.dask.wait_for_one", lambda client, futures, address: futures)
    items = list(run_grid(declare(SHORT), tmp_path, engine=DaskCluster("tcp://host:1")))
    assert [item.state for item in items] == [state] * 3
    assert [item.state for item in plan(declare(SHORT), tmp_path)] == [state] * 3


def test_a_worker_of_another_version_or_without_the_folder_is_told(tmp_path):
    workspace = Workspace(tmp_path, declare(SHORT))
    data = workspace.data()
    item = plan(workspace.declaration, tmp_path)[0]
    with pytest.raises(InputError, match=rf"^A worker must have noisylabels 9\.9 as its grid has, got {__version__}\."):
        do_run(workspace, data, item, "9.9")
    elsewhere = replace(data, folder=tmp_path / "nowhere")
    with pytest.raises(
        InputError, match=r"^A worker must see the grid's folders under the same path, but .*nowhere is"
    ):
        do_run(workspace, elsewhere, item, __version__)
    assert not (tmp_path / "runs").exists()


def test_a_budget_counts_what_is_under_way():
    budget = Budget(1.0)
    assert budget.fits()  # nothing is known of the price
    budget.count(1000.0, 1000.0)
    assert budget.fits([0.0])  # 1000 spent, 1000 under way, 1000 more: 3000 of 3600 s
    assert not budget.fits([0.0, 0.0])
    assert not budget.fits([1700.0])  # it already took longer than expected: 1000 + 1700 + 1000
    budget.count(1700.0, None)  # failed: spent, but no price
    assert budget.price == 1000.0
    with pytest.raises(
        InputError, match=r"one more run of about 1000 s, got 1\.0 h, of which 2700 s are spent\. Raise"
    ):
        budget.require()

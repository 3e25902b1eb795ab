"""What can go wrong, at twelve fields: nothing is lost, nothing torn, the second run does only what is missing."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from noisylabels.data.disk import DiskFullError
from noisylabels.parallel import DaskCluster, InProcess, LocalPool, Shard, WorkerDiedError
from noisylabels.plates import open_plate
from tests.disks import small_disk
from tests.screening.faults import (
    PATTERN,
    Drawn,
    leftovers,
    random_pictures,
    read_results,
    screen_of,
    write_plate,
)

ROOT = Path(__file__).parents[2]
VICTIM = 105  # the sixth of twelve fields


@pytest.fixture(scope="module")
def plate(tmp_path_factory):
    return write_plate(tmp_path_factory.mktemp("input") / "plate", random_pictures(3, 4))


@pytest.fixture(scope="module")
def undisturbed(plate, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    list(screen_of(plate, folder, Drawn()).run(InProcess()))
    results = read_results(folder)
    assert len(results) == 24
    return results


@pytest.fixture(scope="module")
def cluster():
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as running:
        yield running


def kill_a_child_once_something_is_done(folder, children):
    """Kill -9 one worker after the first label map is there."""

    def act():
        while not list(folder.rglob("*_f*.json")):
            time.sleep(0.01)
        os.kill(children()[0], signal.SIGKILL)

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread


def child_at_work(log):
    """Find a worker that began a field less than half of the field's time ago."""
    for _ in range(2000):
        for path in log.glob("[0-9]*"):
            _, pid, began = path.name.split("-")
            if time.monotonic_ns() - int(began) < 50_000_000:
                return [int(pid)]
        time.sleep(0.005)
    return []


def runs_by_field(log):
    counts = {}
    for path in log.glob("[0-9]*"):
        mark = int(path.name.partition("-")[0])
        counts[mark] = counts.get(mark, 0) + 1
    return counts


def assert_whole(screen, folder, undisturbed):
    assert screen.count_states() == {"done": 12, "failed": 0, "missing": 0, "stale": 0}
    assert read_results(folder) == undisturbed
    assert list(screen.run(InProcess())) == []


def test_a_pool_gives_the_bytes_of_one_process(plate, undisturbed, tmp_path):
    screen = screen_of(plate, tmp_path, Drawn())
    assert len(list(screen.run(LocalPool(2), fields_per_task=2))) == 12
    assert_whole(screen, tmp_path, undisturbed)
    assert leftovers(tmp_path) == []


def test_the_method_is_loaded_once_per_process_on_its_threads(plate, tmp_path):
    (tmp_path / "log").mkdir()
    screen = screen_of(plate, tmp_path / "run", Drawn(log=str(tmp_path / "log")))
    before = os.environ.get("OMP_NUM_THREADS")
    assert len(list(screen.run(LocalPool(2, threads=3), fields_per_task=1))) == 12
    loads = [path.name.split("-") for path in (tmp_path / "log").glob("load-*")]
    assert 1 <= len(loads) <= 2
    assert len({pid for _, pid, _ in loads}) == len(loads)
    assert {threads for _, _, threads in loads} == {"3"}
    assert os.environ.get("OMP_NUM_THREADS") == before


def test_a_worker_killed_under_the_pool_costs_nothing_but_time(plate, undisturbed, tmp_path):
    (tmp_path / "log").mkdir()
    screen = screen_of(plate, tmp_path / "run", Drawn(delay_s=0.1, log=str(tmp_path / "log")))
    thread = kill_a_child_once_something_is_done(tmp_path / "run", partial(child_at_work, tmp_path / "log"))
    outcomes = list(screen.run(LocalPool(2), fields_per_task=2))
    thread.join()
    assert {outcome.field for outcome in outcomes if outcome.state in ("done", "skipped")} == {
        field.id for field in plate.fields
    }
    # Only what was under way ran twice: at most two tasks of two fields per worker, less what was already written.
    repeated = [count for count in runs_by_field(tmp_path / "log").values() if count > 1]
    assert 1 <= len(repeated) <= 8
    assert_whole(screen, tmp_path / "run", undisturbed)


def test_a_field_that_kills_its_worker_once_is_done_in_a_fresh_pool(plate, undisturbed, tmp_path):
    screen = screen_of(plate, tmp_path / "run", Drawn(victim=VICTIM, once=str(tmp_path / "once")))
    list(screen.run(LocalPool(2), fields_per_task=2))
    assert_whole(screen, tmp_path / "run", undisturbed)


def test_a_field_that_always_kills_its_worker_is_found_out_and_blamed_alone(plate, undisturbed, tmp_path):
    screen = screen_of(plate, tmp_path, Drawn(victim=VICTIM))
    outcomes = list(screen.run(LocalPool(2), fields_per_task=3))
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    guilty = list(plate.fields)[VICTIM - 100]
    assert [(outcome.field, outcome.message) for outcome in failed] == [
        (
            guilty.id,
            f"Field {guilty.id} of plate plate must not end its worker, but each process that worked on it died. "
            "Look for a shortage of memory or a damaged file.",
        )
    ]
    assert screen.count_states() == {"done": 11, "failed": 1, "missing": 0, "stale": 0}
    assert screen.store.read_record(guilty)["error"]["type"] == WorkerDiedError.__name__
    results = read_results(tmp_path)
    assert results == {name: data for name, data in undisturbed.items() if guilty.id not in name}
    mended = screen_of(plate, tmp_path, Drawn())
    assert [outcome.field for outcome in mended.run(InProcess())] == [guilty.id]
    assert_whole(mended, tmp_path, undisturbed)


def test_a_worker_killed_under_dask_costs_nothing_but_time(plate, undisturbed, cluster, tmp_path):
    screen = screen_of(plate, tmp_path, Drawn(delay_s=0.1))
    pids = lambda: [worker.pid for worker in cluster.workers.values()]  # noqa: E731
    thread = kill_a_child_once_something_is_done(tmp_path, pids)
    outcomes = list(screen.run(DaskCluster(cluster.scheduler_address), fields_per_task=2))
    thread.join()
    assert {outcome.field for outcome in outcomes} == {field.id for field in plate.fields}
    assert_whole(screen, tmp_path, undisturbed)


def test_a_field_that_kills_its_dask_worker_is_blamed_alone(plate, undisturbed, cluster, tmp_path):
    import dask

    screen = screen_of(plate, tmp_path, Drawn(victim=VICTIM))
    before = cluster.scheduler.allowed_failures
    cluster.scheduler.allowed_failures = 0
    try:
        with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
            outcomes = list(screen.run(DaskCluster(cluster.scheduler_address), fields_per_task=3))
    finally:
        cluster.scheduler.allowed_failures = before
    guilty = list(plate.fields)[VICTIM - 100]
    assert [outcome.field for outcome in outcomes if outcome.state == "failed"] == [guilty.id]
    assert screen.count_states() == {"done": 11, "failed": 1, "missing": 0, "stale": 0}
    assert read_results(tmp_path) == {name: data for name, data in undisturbed.items() if guilty.id not in name}


def test_a_scheduler_that_is_killed_is_told_and_nothing_is_lost(plate, undisturbed, tmp_path):
    with started_cluster(tmp_path) as (scheduler, address):
        screen = screen_of(plate, tmp_path / "run", Drawn(delay_s=0.3))
        thread = kill_a_child_once_something_is_done(tmp_path / "run", lambda: [scheduler.pid])
        message = rf"^The scheduler {address} must live until the end, but it is gone\. What was finished is kept"
        with pytest.raises(ConnectionError, match=message):
            list(screen.run(DaskCluster(address), fields_per_task=1))
        thread.join()
    done = screen.count_states()["done"]
    assert 1 <= done < 12
    assert len(list(screen.run(InProcess()))) == 12 - done
    assert_whole(screen, tmp_path / "run", undisturbed)


@contextlib.contextmanager
def started_cluster(folder):
    """Start a scheduler and one worker as processes of their own; yield the scheduler and its address."""
    file = folder / "scheduler.json"
    options = ("--scheduler-file", str(file), "--no-dashboard")
    with contextlib.ExitStack() as processes:
        words = ("dask_scheduler", "--port", "0", "--host", "127.0.0.1", *options)
        scheduler = processes.enter_context(started(*words))
        address = address_in(file)
        processes.enter_context(started("dask_worker", "--nthreads", "1", "--no-nanny", *options))
        yield scheduler, address


@contextlib.contextmanager
def started(program, *words):
    """Start a program of Dask, and whatever happens leave none behind."""
    words = [sys.executable, "-m", f"distributed.cli.{program}", *words]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(words, env={**os.environ, "PYTHONPATH": str(ROOT)}, **quiet)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def address_in(file, *, patience_s=60):
    """Wait for a scheduler's address: the file is there before it is whole."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            return json.loads(file.read_text())["address"]
        time.sleep(0.05)
    raise AssertionError(file)


def test_no_scheduler_is_one_sentence(plate, tmp_path):
    executor = DaskCluster("tcp://127.0.0.1:9", connect_s=0.5)
    with pytest.raises(
        ConnectionError, match=r"^tcp://127\.0\.0\.1:9 must be a Dask scheduler, but it does not answer"
    ):
        list(screen_of(plate, tmp_path, Drawn()).run(executor))


@pytest.mark.parametrize("executor", [InProcess(), LocalPool(2)], ids=["in process", "pool"])
def test_a_full_disk_stops_the_run_and_leaves_nothing_torn(plate, undisturbed, tmp_path, executor):
    with small_disk(free=80 * 1024) as folder:
        screen = screen_of(plate, folder / "run", Drawn())
        message = (
            f"The disk of {folder / 'run'} must have room, but it is full. "
            "Free some and run the same command again: it takes up where this stopped."
        )
        with pytest.raises(DiskFullError, match=f"^{re.escape(message)}$"):
            list(screen.run(executor, fields_per_task=4))
        counts = screen.count_states()
        assert counts["done"] < 12
        assert counts["failed"] == 0
        for name, data in read_results(folder / "run").items():
            assert data == undisturbed[name]
        assert leftovers(folder) == []
        (folder / "ballast").unlink()
        assert len(list(screen.run(InProcess()))) == 12 - counts["done"]
        assert_whole(screen, folder / "run", undisturbed)


def name_of(field):
    return f"{field.plate}/{field.id}"


def test_shards_are_disjoint_whole_and_do_not_hang_on_order(plate, undisturbed, tmp_path):
    shards = [Shard(number, 3) for number in (1, 2, 3)]
    members = [{field.id for field in plate.fields if shard.holds(name_of(field))} for shard in shards]
    assert set.union(*members) == {field.id for field in plate.fields}
    assert sum(map(len, members)) == 12
    fewer = open_plate(plate.folder, pattern=PATTERN).wells[1].fields
    assert [field.id for field in fewer if shards[0].holds(name_of(field))] == sorted(
        members[0] & {field.id for field in fewer}
    )
    screen = screen_of(plate, tmp_path, Drawn())
    assert sum(len(list(screen.run(InProcess(), shard=shard))) for shard in shards) == 12
    assert_whole(screen, tmp_path, undisturbed)

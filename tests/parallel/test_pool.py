"""A function over items in processes: every item ends once, only what kills its workers is blamed."""

import itertools
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from noisylabels.data.errors import InputError
from noisylabels.parallel import InProcess, LocalPool, WorkerDiedError, local, run
from noisylabels.parallel.running import batched

ROOT = Path(__file__).parents[2]


def square(number):
    return number * number


def die_of_three(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def fail_at_two(number):
    if number == 2:
        msg = "two"
        raise ArithmeticError(msg)
    return number


def doze(number, folder):
    (folder / f"{number}-{os.getpid()}").touch()
    time.sleep(0.1)
    return os.getpid()


@pytest.mark.parametrize("engine", [InProcess(), LocalPool(2)], ids=["in process", "pool"])
def test_no_item_is_no_result_and_every_item_ends_once(engine):
    assert list(run(square, [], engine=engine)) == []
    assert sorted(run(square, range(7), engine=engine)) == [(number, number**2) for number in range(7)]


def test_only_the_item_that_kills_every_worker_is_blamed():
    ended = dict(run(die_of_three, range(6), engine=LocalPool(2, retries=1)))
    assert isinstance(ended.pop(3), WorkerDiedError)
    assert ended == {number: number for number in (0, 1, 2, 4, 5)}


@pytest.mark.slow
def test_random_kills_blame_nobody(tmp_path):
    """Each kill hits whoever is at work; no item meets three of them but by an unlikely chance of this seed."""
    rng, kills = random.Random(0), []

    def kill_now_and_then():
        while len(kills) < 6:
            time.sleep(0.3)
            pids = [int(path.name.partition("-")[2]) for path in tmp_path.iterdir()]
            pid = rng.choice(pids) if pids else None
            if pid is not None:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                kills.append(pid)

    thread = threading.Thread(target=kill_now_and_then, daemon=True)
    thread.start()
    items = itertools.takewhile(lambda _: len(kills) < 6, itertools.count())  # work lasts until the last kill
    ended = dict(run(partial(doze, folder=tmp_path), items, engine=LocalPool(2)))
    thread.join(30)
    assert len(kills) == 6
    assert not [number for number, result in ended.items() if isinstance(result, WorkerDiedError)]
    assert sorted(ended) == list(range(len(ended)))


@pytest.mark.parametrize("engine", [InProcess(), LocalPool(2)], ids=["in process", "pool"])
def test_an_error_of_the_function_ends_the_run(engine):
    with pytest.raises(ArithmeticError, match=r"^two$"):
        list(run(fail_at_two, range(5), engine=engine))


@pytest.mark.parametrize("engine", [InProcess(), LocalPool(2)], ids=["in process", "pool"])
def test_nothing_begins_before_it_may(engine):
    begun, ended = [], []

    def items():
        for number in range(4):
            begun.append(number)
            yield number

    for number, _ in run(square, items(), engine=engine, may_begin=lambda: len(begun) == len(ended)):
        assert begun == list(range(number + 1))
        ended.append(number)
    assert ended == [0, 1, 2, 3]


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_workers_end_with_the_process_that_started_them(tmp_path, signal_number):
    program = (
        "from functools import partial\nfrom pathlib import Path\nfrom noisylabels.parallel import LocalPool, run\n"
        "from tests.parallel.test_pool import doze\n"
        "if __name__ == '__main__':\n"
        f"    list(run(partial(doze, folder=Path({str(tmp_path)!r})), range(10000), engine=LocalPool(2)))\n"
    )
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "main.py").write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, str(tmp_path / "program" / "main.py")], env=environment)
    workers = lambda: {int(path.name.partition("-")[2]) for path in tmp_path.glob("[0-9]*-*")}  # noqa: E731
    wait_until(lambda: len(workers()) >= 1)
    os.kill(parent.pid, signal_number)
    parent.wait(30)
    wait_until(lambda: not any(is_running(pid) for pid in workers()))


def wait_until(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_batches_keep_the_order():
    assert list(batched([], 5)) == []
    assert list(batched(range(12), 5)) == [(0, 1, 2, 3, 4), (5, 6, 7, 8, 9), (10, 11)]


def test_workers_and_threads_are_positive():
    message = "workers and threads must be at least 1, got 0 and 1. Give more."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        LocalPool(0)
    assert local(0) == local(1) == InProcess()

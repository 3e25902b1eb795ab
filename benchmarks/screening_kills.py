"""Kill runs of a screen at random moments, and compare what they leave with a run that nobody killed.

    python -m benchmarks.screening_kills [--kills 20] [--seed 0] [--only worker ...]

group           SIGKILL to the command and all its workers at once, as a cluster ends a job; the same command goes on
parent          SIGTERM to the command alone, which must take its workers with it; the same command goes on
worker          SIGKILL to a worker of the local pool, which goes on by itself
Dask worker     the same under a Dask scheduler whose workers are restarted

A kill is drawn by how many fields are done when it comes, and a moment after; up to three hit one run. Printed, by
kind: how many kills, how many runs they hit, how many of those ended with the same bytes as the undisturbed run
(label maps, tables of events, keys of the records), how many processes were left ten seconds after the command's end,
and how many fields were blamed. The exit code is 1 unless all runs ended the same, with no process and no blame.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from benchmarks.screening import PATTERN, write_plate
from noisylabels.data.hashes import hash_bytes

WELLS, FIELDS, SHAPE = 6, 4, (512, 680)
KILLS_A_RUN = 3
GONE_S, END_S = 10.0, 600.0
KINDS = ("group", "parent", "worker", "Dask worker")


@dataclass
class Tally:
    """What came of one kind of kill.

    Attributes:
        kills: How many there were.
        runs: How many runs they hit.
        same: How many of those ended with the same bytes.
        left: How many processes outlived their command.
        blamed: How many fields got a record of a failure.
    """

    kills: int = 0
    runs: int = 0
    same: int = 0
    left: int = 0
    blamed: int = 0


def main() -> None:
    """Kill, go on, compare, and print."""
    settings = _settings()
    dice = random.Random(settings.seed)
    tallies = {name: Tally() for name in settings.only or KINDS}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        plate = write_plate(root / "plate", WELLS, FIELDS, SHAPE)
        code = _start(plate, root / "whole").wait()
        whole = _hashes(root / "whole")
        if code or len(whole) != 3 * WELLS * FIELDS:
            msg = f"The undisturbed run must end whole, got exit code {code} and {len(whole)} files. Run it by hand."
            raise RuntimeError(msg)
        turn = 0
        while sum(tally.kills for tally in tallies.values()) < settings.kills:
            kind = min(tallies, key=lambda name: tallies[name].kills)
            print(f"{kind} ...", file=sys.stderr, flush=True)
            _hit(kind, plate, root / f"run-{turn}", whole, dice, tallies[kind])
            turn += 1
            if turn > 2 * settings.kills:
                msg = (
                    f"Runs must live long enough to be killed, but {turn} of them came to {tallies}. Enlarge the plate."
                )
                raise RuntimeError(msg)
    print(f"runs of {WELLS * FIELDS} fields, killed at random moments\n")
    print("| killed | kills | runs hit | ended with the same bytes | processes left | fields blamed |")
    print("|---|---|---|---|---|---|")
    total = Tally(*map(sum, zip(*map(astuple, tallies.values()), strict=True)))
    for name, tally in [*tallies.items(), ("**all**", total)]:
        print(f"| {name} | {tally.kills} | {tally.runs} | {tally.same} | {tally.left} | {tally.blamed} |")
    sys.exit(total.same < total.runs or total.left + total.blamed > 0)


def _settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="at least so many in all")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--only", nargs="+", choices=KINDS, help="these alone")
    return parser.parse_args()


def _hit(kind: str, plate: Path, run: Path, whole: Mapping[str, str], dice: random.Random, tally: Tally) -> None:
    """Kill one run up to three times, let it end, and compare."""
    kills, code, alone = 0, 1, kind in ("group", "parent")
    with _cluster(run.with_suffix(".json")) if kind == "Dask worker" else _nothing() as (words, workers_of):
        process = _start(plate, run, *words)
        try:
            for _ in range(KILLS_A_RUN):
                if not _wait_for(process, run, _done(run) + dice.randrange(1, 6), dice.uniform(0, 0.2)):
                    break
                workers = workers_of(process.pid)
                if kind == "group":
                    os.killpg(process.pid, signal.SIGKILL)
                elif kind == "parent":
                    process.terminate()
                elif workers:
                    os.kill(dice.choice(workers), signal.SIGKILL)
                kills += alone or bool(workers)
                if alone:
                    process.wait(END_S)
                    tally.left += _left(process.pid)
                    process = _start(plate, run, *words)
            code = process.wait(END_S)
        finally:
            tally.left += _left(process.pid, grace_s=GONE_S if code == 0 else 0)
    if kills:
        tally.kills += kills
        tally.runs += 1
        tally.same += code == 0 and _hashes(run) == whole
        tally.blamed += len(_blamed(run))
    shutil.rmtree(run, ignore_errors=True)


def _start(plate: Path, run: Path, *words: str) -> subprocess.Popen[bytes]:
    """Start the command as the first of a session of its own: whatever it starts is known by that."""
    command = ("screen", "run", str(plate), str(run), "--method", "threshold", "--pattern", PATTERN, *words)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.Popen(
        [sys.executable, "-m", "noisylabels.cli", *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@contextmanager
def _nothing() -> Iterator[tuple[tuple[str, ...], Callable[[int], list[int]]]]:
    yield (), _children


@contextmanager
def _cluster(file: Path) -> Iterator[tuple[tuple[str, ...], Callable[[int], list[int]]]]:
    """A scheduler and two workers, each kept alive by its nanny."""
    started = []

    def start(program: str, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--no-dashboard", "--scheduler-file", str(file)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        started.append(
            subprocess.Popen([*command, *words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )
        return started[-1]

    try:
        start("dask_scheduler", "--port", "0", "--host", "127.0.0.1")
        while not file.is_file():
            time.sleep(0.1)
        nannies = [start("dask_worker", "--nthreads", "1", "--memory-limit", "0") for _ in range(2)]
        address = json.loads(file.read_text())["address"]
        yield ("--scheduler", address), lambda _: [pid for nanny in nannies for pid in _children(nanny.pid)]
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(END_S)


def _wait_for(process: subprocess.Popen[bytes], run: Path, n_done: int, delay_s: float) -> bool:
    """Wait until so many fields are done and some time more; False if the command ended before."""
    while _done(run) < n_done:
        if process.poll() is not None:
            return False
        time.sleep(0.002)
    time.sleep(delay_s)
    return process.poll() is None


def _done(run: Path) -> int:
    return sum(1 for path in run.glob("*/*/*.json") if not path.name.startswith("."))


def _processes() -> Iterator[tuple[int, int, int]]:
    """Every process that lives: its number, its parent's, its session's."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, _, session = path.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if state != "Z":
            yield int(path.parent.name), int(parent), int(session)


def _children(process: int) -> list[int]:
    """The processes that Python's pools and nannies started, without their helper that tracks resources."""
    return [
        pid
        for pid, parent, _ in _processes()
        if parent == process and b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def _left(session: int, *, grace_s: float = GONE_S) -> int:
    """Count what lives in a session once its command has ended, after a grace."""
    until = time.monotonic() + grace_s
    while left := sum(1 for _, _, its in _processes() if its == session):
        if time.monotonic() > until:
            os.killpg(session, signal.SIGKILL)
            return left
        time.sleep(0.1)
    return 0


def _blamed(run: Path) -> list[Path]:
    records = (path for path in run.glob("*/*/*.json") if not path.name.startswith("."))
    return [path for path in records if json.loads(path.read_text())["state"] == "failed"]


def _hashes(run: Path) -> dict[str, str]:
    """What a run found: label maps and tables by their bytes, records by their keys."""
    found = {}
    for path in sorted(run.glob("*/*/*_f*")):
        if path.name.startswith("."):
            continue
        data = path.read_bytes()
        found[str(path.relative_to(run))] = json.loads(data)["key"] if path.suffix == ".json" else hash_bytes(data)
    return found


if __name__ == "__main__":
    main()

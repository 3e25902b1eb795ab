"""What the page is made of: every benchmark of speed, run one after the other, each in a process of its own.

A new file in this folder belongs into `PARTS`, or into `ELSEWHERE` with the reason why its numbers are not on the page.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ratios import LeftOut, Ratio, take_over

ROOT = Path(__file__).parents[1]
LIMIT_S = 900
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Part:
    """A benchmark with the options that the page gives it.

    Attributes:
        words: The file in this folder, and what follows it on the command line at any size.
        about: What it measures, in a few words of the reader's.
        quick: Options of the quick size; empty where it has none.
        has_clock: Whether it is known to count processor time.
    """

    words: tuple[str, ...]
    about: str = ""
    quick: tuple[str, ...] = ()
    has_clock: bool = False

    @property
    def name(self) -> str:
        """What `--only` takes."""
        return "-".join(self.words)

    def command(self, *, quick: bool, clock: str) -> list[str]:
        """Give the words after `python` that a person types to get the same."""
        timed = ("--clock", clock) if self.has_clock else ()
        module, *rest = self.words
        return ["-m", f"benchmarks.{module}", *rest, *timed, *(self.quick if quick else ())]


PARTS = (
    Part(("evaluation",), "counts, boundary F1 and matched events of label maps"),
    Part(("resampling",), "intervals and permutation tests", ("60",)),
    Part(("noise",), "label noise, label issues", ("--fields", "12", "--markov-steps", "20")),
    Part(("simulation",), "simulated fields"),
    Part(("cip",), "the conventional pipeline, step by step"),
    Part(("training",), "the training loop", ("--fields", "8", "--repeats", "1"), has_clock=True),
    Part(("inference",), "prediction of a field", ("--fields", "2", "--repeats", "1"), has_clock=True),
    Part(("inference_memory",), "peak memory of prediction", ("--sides", "512", "1024")),
    Part(("screening", "index"), "opening a plate"),
    Part(("screening", "network"), "a field end to end"),
    Part(("screening", "workers"), "two processes beside one"),
    Part(("screening", "memory"), "peak memory of 1,600 fields beside 100"),
    Part(("screening", "linear"), "cost of a field in a run of 10,000 beside 100", ("--quick",)),
    Part(("screening", "measure"), "memory of measuring a plate"),
    Part(("screening", "plate"), "a plate of 384 wells, every step", ("--quick",)),
    Part(("screening", "gpu"), "prediction on a GPU"),
    Part(("desk",), "strokes kept, projects opened"),
    Part(("annotation",), "painting in the browser"),
)
ELSEWHERE = {
    "correction": "prints how long a simulated person corrects, not how fast a program is, and needs a demo's folder",
    "coverage": "prints how often intervals and verdicts hold, not times: its page is docs/coverage.md",
    "coverage_page": "what writes that page",
    "demo": "prints the scores of whole demos, not times: its tables are in docs/demo.md",
    "experts": "prints the errors of real experts, not times, and needs a data set beside the checkout",
    "fixers": "prints how well real label errors are found, not times, and needs a data set beside the checkout",
    "kills": "prints what is left of a desk's work when server and browser are killed, not times",
    "screening_kills": "kills runs of a screen and compares their bytes, not times: its table is in docs/scale.md",
    "rating_power": "prints the power of tests, not times",
    "simulation_likeness": "prints how like another simulation ours is, not times, and needs it beside the checkout",
    "faults": "kills trainings and compares their bytes, not times: its table is in noisylabels/learning/README.md",
    "recipes": "trains many networks on a screen that you name: its first number is a score, and it takes long",
    "teachers": "trains many networks on screens that you name: its numbers are scores, and it takes long",
    "every_plate": "trains networks on screens that you name: its numbers are scores, and it takes long",
    "trusted": "trains networks on trusted fields of screens that you name: its numbers are scores, and it takes long",
    "teacher_pairs": "collects and ranks pairs for `teachers`: its numbers are scores",
    "teacher_curves": "looks at trainings on their way for `teachers curve`: its numbers are scores",
    "marks": "writes tables into pages, and measures nothing",
    "training_commands": "the command line of trainings, and measures nothing",
    "score_rows": "keeps rows of scores, and measures nothing",
    "real_objects": "trains networks for `real_instances --train`: its numbers are scores",
    "real": "trains many networks on real sets that you name: its numbers are scores, and it takes long",
    "real_arms": "its trainings of trusted fields and weak labels",
    "real_sets": "the sets of the same",
    "real_table": "the tables of the same",
    "real_pictures": "the pictures of the same",
    "real_instances": "prints scores of real objects that touch, not times",
    "weights": "trains the weights that come with the bundles: its numbers are scores, in the bundles' cards",
    "model_cards": "the cards of the same",
    "topologies": "trains five networks on a screen that you name: its first number is a score, and it takes long",
    "ratios": "what benchmarks hand over",
    "parts": "what runs them",
    "page": "what writes this page",
    "rows": "what writes its tables",
    "__main__": "its command line",
}


@dataclass(frozen=True)
class Run:
    """What came of one part: its ratios, or the reason why there are none.

    Attributes:
        part: Which.
        command: As a person would type it.
        measured: What it handed over.
        failure: One line; empty where nothing failed.
        taken_s: Seconds by the clock on the wall.
        load: The machine's load average (over a minute) before and after.
    """

    part: Part
    command: str
    measured: tuple[Ratio | LeftOut, ...]
    failure: str
    taken_s: float
    load: tuple[float, float]


def run_all(parts: Sequence[Part], *, quick: bool, clock: str) -> Iterator[Run]:
    """Run parts one after the other; one that fails does not stop the others."""
    for number, part in enumerate(parts, 1):
        print(f"[{number}/{len(parts)}] {part.name}", flush=True)
        run = run_part(part, quick=quick, clock=clock)
        print(f"FAILED: {run.failure}\n" if run.failure else f"{run.taken_s:.0f} s\n", flush=True)
        yield run


def run_part(part: Part, *, quick: bool, clock: str) -> Run:
    """Run one part on one thread and read what it hands over."""
    words = part.command(quick=quick, clock=clock)
    before, begun = os.getloadavg()[0], time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "ratios.json"
        failure = call([sys.executable, *words, "--json", str(answer)], Path(folder) / "errors.txt")
        if not failure and not answer.exists():
            failure = "it ended without handing over a ratio"
        measured = () if failure else tuple(take_over(answer))
    taken = time.monotonic() - begun
    return Run(part, " ".join(["python", *words]), measured, failure, taken, (before, os.getloadavg()[0]))


def call(words: Sequence[str], errors: Path, limit_s: float = LIMIT_S) -> str:
    """Run a command from the root of the checkout; give one line of why it failed, or nothing."""
    with errors.open("wb") as file:
        environment = {**os.environ, **ONE_THREAD}
        # A session of its own: where it hangs, the processes that it began end with it.
        process = subprocess.Popen(words, cwd=ROOT, env=environment, stderr=file, start_new_session=True)
        try:
            status = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return f"it took more than {limit_s:g} s and was ended"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if status == 0:
        return ""
    message = errors.read_text(errors="replace").strip()
    print(message, file=sys.stderr)
    return f"exit status {status}: {message.splitlines()[-1] if message else 'it said nothing'}"

"""The benchmark of a whole plate runs to its end: it goes through every step that a plate does."""

import subprocess
import sys

STEPS = ("open", "run with two processes", "status", "measure", "report")


def test_every_step_of_a_plate_is_timed() -> None:
    words = [sys.executable, "-m", "benchmarks.screening", "plate", "--quick"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "'done': 864, 'failed': 0" in done.stdout  # 96 wells of 9 fields
    assert [step for step in STEPS if f"fields of 24 x 32: {step}: " not in done.stdout] == []

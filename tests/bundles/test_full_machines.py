"""A disk that is really full, and shared memory that is really too small: one sentence each, nothing half-written."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bundles.conftest import BUNDLES

COMMAND = "import torch; torch.set_num_threads(1)\nfrom noisylabels.cli import main; main()"


def mount_works() -> bool:
    """Tell whether a process may have mounts of its own, which end with it."""
    words = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"]
    return bool(shutil.which("unshare")) and subprocess.run(words, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not mount_works(), reason="left out: needs unshare and the right to mount")


def run_on_small_mount(place: Path, size: str, *words: str) -> tuple[int, str, list[str]]:
    """Run a command where `place` is a file system of `size`: its exit code, what it said, and what lies there then."""
    script = 'mount -t tmpfs -o size=$0 tmpfs "$1" && place="$1" && shift && "$@"; code=$?; ls -A "$place"; exit $code'
    told = ["unshare", "-rm", "sh", "-c", script, size, str(place), sys.executable, "-c", COMMAND, *words]
    done = subprocess.run(told, capture_output=True, text=True, check=False, cwd=BUNDLES.parent, timeout=600)
    return done.returncode, done.stderr, done.stdout.splitlines()


def training(screen: Path, out: Path, *words: str) -> tuple[str, ...]:
    given = ("--dataset_dir", str(screen), "--output_dir", str(out), "--label_name", "cip", "--num_epochs", "1")
    return ("train", "cdl", *given, *words)


FULL = "noisylabels: There must be room on the disk, but it is full. Free some, and start the same command again.\n"


def test_a_training_on_a_full_disk(screen: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    code, said, there = run_on_small_mount(out, "512k", *training(screen, out))  # the weights take 1.7 MB
    assert (code, said) == (2, FULL)
    assert not [name for name in there if name.startswith((".writing-", "model.pt", "last.pt", "run.json"))]


def test_a_training_whose_workers_have_too_little_shared_memory(screen: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = training(screen, out, "--num_workers", "1", "--batch_size", "4")
    code, said, _ = run_on_small_mount(Path("/dev/shm"), "128k", *words)
    assert (code, said) == (
        2,
        "noisylabels: Loading processes must have shared memory, but one died; /dev/shm is often too small (64 MB in "
        "Docker). Start the container with --shm-size 1g, or pass --num_workers 0.\n",
    )
    assert not out.exists() or not list(out.glob("*.pt"))

"""Files of TensorBoard are cut at the first step that will be logged again, and nowhere else."""

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from torch.utils.tensorboard import SummaryWriter

from noisylabels.learning.tensorboard_files import drop_later_steps


def write_run(folder: Path, *, epochs: int, steps_per_epoch: int = 3) -> Path:
    """Log as a training does: the loss by the iteration, a score by the epoch."""
    with SummaryWriter(folder) as writer:
        for epoch in range(1, epochs + 1):
            for step in range(steps_per_epoch):
                writer.add_scalar("loss", 0.5, (epoch - 1) * steps_per_epoch + step + 1)
            writer.add_scalar("score", 0.5, epoch)
    (path,) = folder.glob("events.out.tfevents.*")
    return path


def read_steps(path: Path) -> list[tuple[str, int]]:
    return [(value.tag, event.step) for event in EventFileLoader(str(path)).Load() for value in event.summary.value]


@pytest.mark.parametrize("epoch", [0, 1, 2, 3])
def test_what_is_left_are_the_whole_epochs(tmp_path: Path, epoch: int) -> None:
    path = write_run(tmp_path, epochs=3)
    before = read_steps(path)
    cut = drop_later_steps(tmp_path, epoch=epoch, iteration=3 * epoch, iteration_tags={"loss"})
    assert cut == (epoch < 3)
    assert read_steps(path) == before[: 4 * epoch]


def test_a_folder_that_is_missing_or_empty_or_a_file_that_is_torn_is_no_fault(tmp_path: Path) -> None:
    assert drop_later_steps(tmp_path / "none", epoch=0, iteration=0) == 0
    (tmp_path / "events.out.tfevents.0").write_bytes(b"")
    assert drop_later_steps(tmp_path, epoch=0, iteration=0) == 0
    path = write_run(tmp_path / "run", epochs=2)
    path.write_bytes(path.read_bytes()[:-5])
    before = path.stat().st_size
    assert drop_later_steps(path.parent, epoch=2, iteration=6, iteration_tags={"loss"}) == 0
    assert path.stat().st_size == before
    assert drop_later_steps(path.parent, epoch=1, iteration=3, iteration_tags={"loss"}) == 1
    assert read_steps(path) == [("loss", 1), ("loss", 2), ("loss", 3), ("score", 1)]

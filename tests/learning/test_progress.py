"""Progress of a prediction where nobody looks at a terminal."""

import pytest
import torch
from ignite.engine import Engine

from noisylabels.learning.progress import ProgressLines


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run over five fields of twenty seconds each, two of them together; return what is printed."""

    def run(batches: object) -> str:
        seconds = iter(range(0, 1000, 20))
        monkeypatch.setattr("noisylabels.data.progress.monotonic", lambda: next(seconds))
        engine = Engine(lambda engine, batch: None)
        ProgressLines().attach(engine)
        engine.run(batches)
        return capsys.readouterr().err

    return run


class Fields(torch.utils.data.Dataset):
    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"image": torch.zeros(1, 8, 8)}


def test_a_line_now_and_then_counts_the_fields_of_all(told) -> None:
    assert told(torch.utils.data.DataLoader(Fields(), batch_size=2)) == "fields: 2 of 5\nfields: 4 of 5\n"


def test_where_nobody_knows_how_many_there_are_they_are_counted(told) -> None:
    item = {"image": torch.zeros(1, 8, 8)}
    assert told([[item, item]]) == "fields: 2\n"  # taken apart, as MONAI's evaluators leave a batch

"""The commands of the room's README, run as they stand there."""

from pathlib import Path

import pytest

from tests.docs.pages import read_blocks, run_blocks

README = Path(__file__).parents[2] / "noisylabels" / "learning" / "README.md"


@pytest.mark.filterwarnings("ignore:parsing config_file")
def test_the_commands_of_the_readme_lead_from_nothing_to_predictions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = read_blocks(README.read_text())
    assert block.language == "bash"
    assert run_blocks([block], source="noisylabels/learning/README.md") == len(block.text.splitlines())
    assert (tmp_path / "runs/cdl/model.pt").is_file()
    assert list((tmp_path / "screen/labels/cdl").glob("*.tif"))


def test_every_file_of_the_room_is_in_its_table() -> None:
    text = README.read_text()
    files = {path.name for path in README.parent.glob("*.py")} - {"__init__.py"}
    assert {name for name in files if f"`{name}`" not in text} == set()

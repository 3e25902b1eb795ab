"""Steps that are done once: each leaves a result file, written last, and is skipped where that file is."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noisylabels import __version__
from noisylabels.data.atomic import write_text
from noisylabels.data.claims import claim_folder
from noisylabels.data.errors import InputError

RECORD = "study.json"


@dataclass(frozen=True)
class Step:
    """One step of one screen.

    Args:
        name: Its name; the result is `steps/<name>.json`.
        work: What it does; returns plain data to keep.
    """

    name: str
    work: Callable[[], Mapping[str, Any]]


def claim_study(folder: Path, settings: Mapping[str, object], *, preset: str) -> None:
    """Write down what a folder will hold; refuse one that holds a study of other settings.

    More seeds may follow. The number of workers may change: it changes no byte.

    Args:
        folder: The folder of the study.
        settings: Its settings as plain data.
        preset: Their name.

    Raises:
        InputError: If the settings or the version differ from those the folder was begun with.
    """
    wanted = {"preset": preset, "noisylabels": __version__, "settings": {**settings, "workers": None}}
    record = folder / RECORD
    claim_folder(record, wanted, taken=record.is_file(), advice="Name another.")


def do_step(folder: Path, step: Step, *, say: Callable[[str], object] = lambda _: None) -> dict[str, Any]:
    """Run a step, or read its result where it was done before.

    Args:
        folder: The folder of one screen.
        step: The step.
        say: Called with one line when something was done.

    Returns:
        What the step returned, and its wall time as `seconds`.
    """
    path = folder / "steps" / f"{step.name}.json"
    if path.is_file():
        return read_step(folder, step.name)
    start = time.perf_counter()
    result = dict(step.work())
    result["seconds"] = time.perf_counter() - start
    write_text(path, json.dumps(result, indent=1))
    say(f"{folder.name} {step.name}: {result['seconds']:.0f} s")
    return result


def read_step(folder: Path, name: str) -> dict[str, Any]:
    """Read the result of a step that was done.

    Raises:
        InputError: If it was not.
    """
    path = folder / "steps" / f"{name}.json"
    if not path.is_file():
        msg = f"{folder} must have done the step {name!r}, got no result of it. Run the study again."
        raise InputError(msg)
    result: dict[str, Any] = json.loads(path.read_text())
    return result

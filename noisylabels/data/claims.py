"""Claim a folder for one piece of work: what it holds is written down, and work with other settings is refused."""

import json
from collections.abc import Mapping
from pathlib import Path

from noisylabels.data.atomic import write_text
from noisylabels.data.errors import InputError


def require_new_folder(folder: str | Path) -> None:
    """Check that a folder is missing or empty.

    Raises:
        InputError: If it holds something.
    """
    root = Path(folder)
    if root.is_dir() and (entries := list(root.iterdir())):
        msg = f"{root} must be a new or empty folder, got {len(entries)} entries. Name another."
        raise InputError(msg)


def claim_folder(record: Path, values: Mapping[str, object], *, taken: bool = True, advice: str) -> None:
    """Write down what a folder will hold, or go on with what was written down.

    Args:
        record: The JSON file in the folder that says what it holds.
        values: What it will hold, as JSON can keep it.
        taken: Whether results lie in it. Where there are none, what an earlier call wrote down is replaced.
        advice: What to do when it is refused, one sentence.

    Raises:
        InputError: If the folder holds what was made otherwise, or by nobody knows what.
    """
    if taken:
        refuse_other(record, values, advice=advice, unknown=True)
    if read_record(record) != _plain(values):
        write_text(record, json.dumps(values, indent=1) + "\n")


def refuse_other(record: Path, values: Mapping[str, object], *, advice: str, unknown: bool = False) -> None:
    """Check that a folder holds nothing that was made with other values.

    Args:
        record: The JSON file in the folder that says what it holds.
        values: What is to be done there; what only the record names is not looked at.
        advice: What to do when it is refused, one sentence.
        unknown: Refuse a folder without a record, too.

    Raises:
        InputError: If it does; the message names what differs.
    """
    found, wanted = read_record(record), _plain(values)
    if found is None and not unknown:
        return
    differing = [name for name in wanted if found is None or found.get(name, ...) != wanted[name]]
    if differing:
        got = f"other {', '.join(differing)}" if found is not None else f"results without {record.name}"
        msg = f"{record.parent} must hold what was made with the same settings to go on, got {got}. {advice}"
        raise InputError(msg)


def read_record(record: Path) -> dict[str, object] | None:
    """Read what a folder holds; None where nothing was written down.

    Raises:
        InputError: If the record is damaged.
    """
    if not record.is_file():
        return None
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        msg = f"{record} must be a JSON mapping that says what its folder holds, got something else. Name another."
        raise InputError(msg)
    return found


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    plain: dict[str, object] = json.loads(json.dumps(values))
    return plain

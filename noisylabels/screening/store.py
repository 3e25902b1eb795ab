"""The folder of a run: per field a label map, its events and, written last, its record.

`<run>/<plate>/<well>/<field>.tif`, `.events.parquet`, `.json`. A record names the hashes of the other two, so that a
result is complete when its record is there, whatever was killed when.
"""

import contextlib
import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noisylabels.data.atomic import replacing, write_text
from noisylabels.data.claims import refuse_other
from noisylabels.data.disk import writing
from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.data.hashes import hash_bytes
from noisylabels.data.images import write_label_map
from noisylabels.data.labels import LabelMap
from noisylabels.plates.fields import Field

RUN_FILE = "run.json"
LEFT_AFTER_S = 600.0  # a field is written in seconds

Record = dict[str, Any]


@dataclass(frozen=True)
class Store:
    """Where the results of a run lie.

    Args:
        folder: The run.
    """

    folder: Path

    def path(self, field: Field, suffix: str) -> Path:
        """Return where a field's file lies: `suffix` is `.tif`, `.events.parquet` or `.json`."""
        return self.folder / field.plate / field.well.name / f"{field.id}{suffix}"

    def read_record(self, field: Field) -> Record | None:
        """Read a field's record; None if there is none."""
        return read_json(self.path(field, ".json"))

    def write_record(self, field: Field, record: Mapping[str, object]) -> None:
        """Write a field's record, the last step of its work."""
        with writing(self.folder):
            write_text(self.path(field, ".json"), json.dumps(record, separators=(",", ":")))

    def write_result(self, field: Field, label_map: LabelMap, events: EventTable) -> dict[str, Any]:
        """Write label map and events.

        Returns:
            What the record says of them: sizes in bytes and hashes.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        label_path, events_path = self.path(field, ".tif"), self.path(field, ".events.parquet")
        with writing(self.folder):
            write_label_map(label_path, label_map)
            with replacing(events_path) as temporary:
                pq.write_table(pa.table(dict(events.columns)), temporary)
        return {"label": _seal(label_path), "events": _seal(events_path)}

    def is_whole(self, field: Field, record: Mapping[str, Any], *, verify: bool = False) -> bool:
        """Return whether label map and events are there, by size or, with `verify`, by hash."""
        for suffix, name in ((".tif", "label"), (".events.parquet", "events")):
            path = self.path(field, suffix)
            try:
                size = path.stat().st_size
            except FileNotFoundError:
                return False
            if size != record[name]["bytes"] or (verify and _seal(path) != record[name]):
                return False
        return True

    def declare(self, declaration: Mapping[str, object]) -> None:
        """Record what this run is; once recorded, it stays."""
        if read_json(self.folder / RUN_FILE) is None:
            write_text(self.folder / RUN_FILE, json.dumps(declaration, indent=1) + "\n")

    def refuse_another(self, declaration: Mapping[str, object]) -> None:
        """Check that the folder is new or holds this run.

        Raises:
            InputError: If it holds a run with other settings.
        """
        advice = "Choose another folder: results are not overwritten."
        refuse_other(self.folder / RUN_FILE, declaration, advice=advice)

    def remove_leftovers(self) -> None:
        """Remove the temporary files that killed processes left; one that is written now is younger."""
        for path in self.folder.glob("*/*/.writing-*"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > LEFT_AFTER_S:
                    path.unlink()

    def require_here(self) -> None:
        """Check that this process sees the folder of the run.

        Raises:
            InputError: If it does not.
        """
        if not (self.folder / RUN_FILE).is_file():
            msg = (
                f"A worker must see the run's folder under the same path, but {self.folder} is not there on "
                f"{socket.gethostname()}. Share it between the machines."
            )
            raise InputError(msg)

    def declaration(self) -> Record:
        """Read what this run is.

        Raises:
            FileNotFoundError: If the folder is no run.
        """
        known = read_json(self.folder / RUN_FILE)
        if known is None:
            msg = f"{self.folder} must be the folder of a run, but it has no {RUN_FILE}. Run `screen run` first."
            raise FileNotFoundError(msg)
        return known


def read_json(path: Path) -> Record | None:
    """Read a JSON object; None if the file is not there or is torn."""
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _seal(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"bytes": len(data), "sha256": hash_bytes(data)}

"""Noise models: which errors, how many, how they are made; plain data, applied to one label map at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import Image, RealArray
from noisylabels.data.atomic import write_text
from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.data.keys import combine_keys
from noisylabels.data.labels import IGNORE_INDEX, ROSELLA, ClassTable, LabelMap, check_label_map, set_aside
from noisylabels.data.settings import build
from noisylabels.noise.canvas import Canvas
from noisylabels.noise.dose import can_strike, choose_events
from noisylabels.noise.kinds import KINDS, Kind, read_kind, write_kind
from noisylabels.noise.log import join_logs
from noisylabels.noise.scene import Scene, decompose


class Corrupted(NamedTuple):
    """What a noise model makes of a label map.

    Args:
        label_map: (row, column) noisy class indices, uint8.
        log: One row per injected error (`noisylabels.noise.log.COLUMNS`).
        doses: One row per error kind and class: `kind`, `class_index`, `eligible` events, `struck` events and
            `rate`, the share achieved (nan where no event was eligible).
    """

    label_map: LabelMap
    log: EventTable
    doses: EventTable

    def __repr__(self) -> str:
        rows, columns = self.label_map.shape
        return f"Corrupted(label map of {rows} x {columns}, {len(self.log)} errors)"


@dataclass(frozen=True)
class _Head:
    classes: tuple[str, ...] = ROSELLA.names
    seed: int = 0


HEAD = ("classes", "seed")
"""What a noise model has beside its error kinds."""


@dataclass(frozen=True)
class NoiseModel:
    """A set of error kinds with their doses, as one annotator or one pipeline makes them.

    Args:
        errors: The error kinds, in the order in which they strike.
        classes: The class table of the label maps.
        seed: The noise seed: same seed, same errors.

    Examples:
        >>> model = NoiseModel.from_dict({"missed": {"rate": 0.5}})
        >>> clean = np.array([[1, 0, 2], [1, 0, 2]], np.uint8)
        >>> noisy, log, doses = model.apply(clean, image_id="field-1")
        >>> int((noisy != clean).sum()), log["kind"].tolist(), float(doses["struck"].sum())
        (2, ['missed'], 1.0)
    """

    errors: tuple[Kind, ...] = ()
    classes: ClassTable = field(default=ROSELLA)
    seed: int = 0

    def __repr__(self) -> str:
        kinds = ", ".join(dict.fromkeys(kind.name for kind in self.errors)) or "no errors"
        return f"NoiseModel({kinds}; {', '.join(self.classes)}; seed {self.seed})"

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> NoiseModel:
        """Make a model from plain data.

        Args:
            data: `classes` (names, background first), `seed`, and settings by error kind: a mapping, or a list of
                mappings for one kind with different settings by class.

        Raises:
            InputError: If a kind or setting is unknown or outside its range, or a class has one kind twice.
        """
        if not isinstance(data, Mapping):
            msg = f"A noise model must be a mapping of error kinds, got {data!r}. Write missed: {{rate: 0.1}}, say."
            raise InputError(msg)
        head = build(_Head, {key: value for key, value in data.items() if key in HEAD}, what="Noise model's")
        classes = ClassTable(head.classes)
        entries = [
            read_kind(str(name), settings, classes)
            for name, listed in data.items()
            if name not in HEAD
            for settings in (listed if isinstance(listed, list) else [listed])
        ]
        order = list(KINDS)
        model = cls(tuple(sorted(entries, key=lambda kind: order.index(kind.name))), classes, head.seed)
        _refuse_repeated(model)
        return model

    @classmethod
    def read(cls, path: str | Path, *, classes: ClassTable = ROSELLA) -> NoiseModel:
        """Read a model from a YAML or JSON file.

        Args:
            path: The file.
            classes: The class table if the file names none.

        Raises:
            InputError: If the file is no mapping or holds a wrong setting; the message names the file.
        """
        import yaml

        try:
            data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
            return cls.from_dict({"classes": list(classes), **data} if isinstance(data, Mapping) else data)
        except (InputError, yaml.YAMLError) as error:
            msg = f"{path}: {error}"
            raise InputError(msg) from error

    def to_dict(self) -> dict[str, object]:
        """Write the model as plain data; `from_dict` reads it back."""
        data: dict[str, Any] = {"classes": list(self.classes), "seed": self.seed}
        for kind in self.errors:
            data.setdefault(kind.name, []).append(write_kind(kind))
        return {key: part[0] if key in KINDS and len(part) == 1 else part for key, part in data.items()}

    def write(self, path: str | Path) -> None:
        """Write the model as YAML (which `read` also takes as JSON)."""
        import yaml

        write_text(path, yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True))

    def with_seed(self, seed: int) -> NoiseModel:
        """Return the same model with another noise seed."""
        return replace(self, seed=seed)

    @property
    def features(self) -> frozenset[str]:
        """Names of the event features the model looks at."""
        return frozenset(name for kind in self.errors for name in kind.dose.given)

    def apply(
        self,
        label_map: RealArray,
        image: Image | None = None,
        *,
        image_id: str,
        channel_names: Sequence[str] | None = None,
    ) -> Corrupted:
        """Inject the errors into one label map.

        The result depends on the label map, the image, the seed and the image's id; not on order, workers or what
        else is corrupted.

        Args:
            label_map: (row, column) clean class indices; pixels of 255 are part of no event and stay 255. Not modified.
            image: (channel, row, column) intensities, needed only if the model looks at them. Not modified.
            image_id: Name of the field; fields of one name get the same random draws.
            channel_names: Names of the channels; "0", "1", ... when left out.

        Returns:
            The noisy label map, its log, and the doses achieved.

        Raises:
            InputError: If the label map does not fit the class table, or a feature needs an image and none is given.
        """
        clean, ignored = set_aside(check_label_map(label_map, self.classes, ignore_index=IGNORE_INDEX))
        scene = decompose(
            clean, image, classes=self.classes, image_id=image_id, seed=self.seed,
            channel_names=channel_names, wanted=self.features,
        )  # fmt: skip
        rows, doses = _draw_errors(self.errors, scene)
        noisy, log = _render(scene, rows, ignored)
        return Corrupted(noisy, log, _achieved(doses, log, scene))


def render_log(
    label_map: RealArray,
    log: EventTable,
    image: Image | None = None,
    *,
    classes: ClassTable = ROSELLA,
    channel_names: Sequence[str] | None = None,
) -> LabelMap:
    """Render the noisy label map again from the clean one and its log.

    Args:
        label_map: (row, column) clean class indices, or 255. Not modified.
        log: The rows of this image.
        image: (channel, row, column) intensities, needed for errors made from one channel.
        classes: The class table.
        channel_names: Names of the channels.

    Returns:
        The (row, column) label map that `NoiseModel.apply` returned with this log.
    """
    clean, ignored = set_aside(check_label_map(label_map, classes, ignore_index=IGNORE_INDEX))
    scene = decompose(clean, image, classes=classes, image_id="", seed=0, channel_names=channel_names)
    return _render(scene, log, ignored)[0]


Drawn = tuple[str, NDArray[np.bool_]]


def _draw_errors(errors: Sequence[Kind], scene: Scene) -> tuple[EventTable, list[Drawn]]:
    struck_by = {name: np.zeros(len(scene.table), bool) for name in KINDS}
    logs: list[EventTable] = []
    doses: list[Drawn] = []
    for kind in errors:
        eligible = kind.eligible(scene)
        if kind.name != "spurious":  # a missed event still lends its shape, but can have no other error
            eligible &= ~struck_by["missed"]
        for other in kind.dose.unless:
            eligible &= ~struck_by[other]
        struck = choose_events(
            kind.dose, scene.table, scene.classes,
            eligible=eligible, event_keys=scene.event_keys, image_key=scene.image_key, kind=kind.name,
        )  # fmt: skip
        events = scene.table["event"][struck]
        logs.append(_described(kind.draw(scene, events, combine_keys(scene.event_keys[struck], kind.name)), scene))
        doses.append((kind.name, eligible & can_strike(kind.dose, scene.table, scene.classes, _classes_of(kind))))
        struck_by[kind.name][struck] = True
    return join_logs(logs), doses


def _described(rows: EventTable, scene: Scene) -> EventTable:
    if (rows["kind"] == "spurious").any():
        return rows  # of no clean event: its class is 0 and its box its own
    at = rows["event"] - 1
    named = ("class_index", "area_px", "row_min", "column_min", "row_max", "column_max")
    columns = {name: scene.table[name][at].astype(rows[name].dtype) for name in named}
    same = (rows["kind"] != "misclassified") & (rows["kind"] != "missed")
    columns["noisy_class_index"] = np.where(same, columns["class_index"], rows["noisy_class_index"])
    return rows.joined(**columns)


def _render(scene: Scene, rows: EventTable, ignored: NDArray[np.bool_]) -> tuple[LabelMap, EventTable]:
    canvas = Canvas.of(scene)
    applied = np.zeros(len(rows), bool)
    for name, kind in KINDS.items():
        of_kind = np.flatnonzero(rows["kind"] == name)
        if len(of_kind):
            applied[of_kind] = kind.render(canvas, scene, rows.select(of_kind))
    log = rows.select(applied)
    areas = np.bincount(canvas.owner[~ignored], minlength=len(canvas.class_of))
    log = log.joined(noisy_area_px=areas[log["event"]])
    if ignored.any():  # what lies under ignored pixels is no error
        log = log.select((log["kind"] == "missed") | (log["noisy_area_px"] > 0))
    return np.where(ignored, IGNORE_INDEX, canvas.label_map()).astype(np.uint8), log


def _achieved(doses: Sequence[Drawn], log: EventTable, scene: Scene) -> EventTable:
    rows = [
        (kind, index, eligible & (scene.table["class_index"] == index))
        for kind, eligible in doses
        for index in range(1, len(scene.classes))
    ]
    n_eligible = np.array([members.sum() for _, _, members in rows], np.int64)
    n_struck = np.array([_count(log, kind, index) for kind, index, _ in rows], np.int64)
    return EventTable(
        {
            "kind": np.array([kind for kind, _, _ in rows], object),
            "class_index": np.array([index for _, index, _ in rows], np.uint8),
            "eligible": n_eligible,
            "struck": n_struck,
            "rate": np.where(n_eligible > 0, n_struck / np.maximum(n_eligible, 1), np.nan),
        }
    )


def _count(log: EventTable, kind: str, class_index: int) -> int:
    of_class = log["noisy_class_index" if kind == "spurious" else "class_index"] == class_index
    return int(((log["kind"] == kind) & of_class).sum())


def _classes_of(kind: Kind) -> frozenset[str]:
    return frozenset(name for stratum in kind.dose.strata for name in stratum)


def _refuse_repeated(model: NoiseModel) -> None:
    seen: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for kind in model.errors:
        low, high = kind.dose.sizes_px or (0, np.inf)
        for name in sorted(_classes_of(kind) or model.classes.foreground):
            others = seen.setdefault((kind.name, name), [])
            if any(low < other_high and other_low < high for other_low, other_high in others):
                msg = (
                    f"Each class and size must have an error kind once, got {kind.name} twice for {name}. "
                    "Join the entries, or split them by class or by sizes_px."
                )
                raise InputError(msg)
            others.append((low, high))

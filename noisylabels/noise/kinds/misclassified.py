"""Misclassified: an event is labelled, but as another class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.data.keys import Keys, combine_keys, uniforms
from noisylabels.data.labels import ClassTable
from noisylabels.noise.canvas import Canvas
from noisylabels.noise.contacts import keep_apart, pixels_in_contact
from noisylabels.noise.dose import Dose
from noisylabels.noise.log import make_rows
from noisylabels.noise.scene import Scene

TOLERANCE = 1e-6


@dataclass(frozen=True)
class Misclassified:
    """Assign events another class.

    An event that touches others keeps a gap of one pixel to those of its new class, so that no events merge; one that
    has no pixel free of such contact cannot be misclassified.

    Args:
        dose: How many events, and which. If the dose has no rate of its own, the transition's diagonal gives it:
            1 - P(own class).
        transition: Probability of each foreground class (columns) for an event of each foreground class (rows), in the
            order of the class table without the background. None: all other classes are equally likely.

    Raises:
        InputError: If a row of the transition does not sum to 1.
    """

    dose: Dose
    transition: Sequence[Sequence[float]] | None = None
    name: ClassVar[str] = "misclassified"

    def __post_init__(self) -> None:
        for index, row in enumerate(self.transition or ()):
            if min(row) < 0 or abs(sum(row) - 1) > TOLERANCE:
                msg = (
                    f"Row {index} of transition must be probabilities that sum to 1, "
                    f"got {list(row)} (sum {sum(row):g}). Let its diagonal take what is left over."
                )
                raise InputError(msg)

    def check(self, classes: ClassTable) -> None:
        """Refuse a class table that leaves no other class, or a transition of another size.

        Raises:
            InputError: In these two cases.
        """
        n_classes = len(classes.foreground)
        if n_classes < 2:
            msg = (
                f"misclassified must have two foreground classes or more, got {list(classes.foreground)}. Leave it out."
            )
            raise InputError(msg)
        if self.transition and {len(self.transition), *map(len, self.transition)} != {n_classes}:
            msg = (
                f"transition must be {n_classes} x {n_classes} ({', '.join(classes.foreground)}), "
                "got another size. Give one row per class."
            )
            raise InputError(msg)

    def eligible(self, scene: Scene) -> NDArray[np.bool_]:
        """Events with a pixel that no other event touches."""
        touching = pixels_in_contact(scene.instances)[scene.footprints.rows, scene.footprints.columns]
        return scene.footprints.sums(~touching) > 0

    def draw(self, scene: Scene, events: NDArray[np.int32], keys: Keys) -> EventTable:
        """Draw the new class of each event; it does not depend on the rate."""
        bounds = np.cumsum(self._targets(len(scene.classes.foreground)), axis=1)[scene.class_of[events] - 1]
        drawn = uniforms(combine_keys(keys, "class"))[:, None] * bounds[:, -1:]
        new = 1 + (drawn >= bounds).sum(axis=1)
        return make_rows(scene.image_id, self.name, events, noisy_class_index=new, key=keys)

    def _targets(self, n_classes: int) -> NDArray[np.float64]:
        targets = np.array(self.transition or np.ones((n_classes, n_classes)), np.float64)
        np.fill_diagonal(targets, 0)
        alone = targets.sum(axis=1) == 0  # a class that the transition leaves alone is struck only by an explicit rate
        targets[alone] = 1 - np.eye(n_classes)[alone]
        return targets

    @staticmethod
    def render(canvas: Canvas, _scene: Scene, rows: EventTable) -> NDArray[np.bool_]:
        """Change the events' class; where one now touches an event of that class, its own pixels give way."""
        canvas.class_of[rows["event"]] = rows["noisy_class_index"]
        keep_apart(canvas, rows["event"])
        return np.ones(len(rows), bool)

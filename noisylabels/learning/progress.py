"""Progress of a prediction where nobody looks at a terminal: handler of a MONAI config."""

from collections.abc import Callable, Mapping, Sized

from ignite.engine import Engine, Events

from noisylabels.data.progress import count_in_lines


class ProgressLines:
    """Print how many fields are done, a line every half minute, as all long commands do off a terminal."""

    def __init__(self) -> None:
        self._advance: Callable[[], None] = count_in_lines("fields", None)

    def attach(self, engine: Engine) -> None:
        """Count the fields of every batch."""
        engine.add_event_handler(Events.STARTED, self.begin)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.count)

    def begin(self, engine: Engine) -> None:
        """Begin to count."""
        fields = getattr(engine.state.dataloader, "dataset", None)
        self._advance = count_in_lines("fields", len(fields) if isinstance(fields, Sized) else None)

    def count(self, engine: Engine) -> None:
        """Count the fields of the last batch, which MONAI takes apart into a list."""
        batch = engine.state.batch
        for _ in batch["image"] if isinstance(batch, Mapping) else batch:
            self._advance()

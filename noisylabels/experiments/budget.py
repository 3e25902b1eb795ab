"""How much compute a grid may cost, and whether one more run still fits."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from noisylabels.data.errors import InputError

SECONDS_PER_HOUR = 3600


@dataclass
class Budget:
    """Hours of compute, and what was spent of them since the start.

    Until one run has ended its price is unknown and counts as nothing.

    Args:
        hours: What may be spent.
        known: Seconds of the runs that are done, from before and from now: the price of the next.
        spent: Seconds spent since the start.

    Examples:
        >>> budget = Budget(1.0, [1500.0])
        >>> budget.fits(), budget.fits([10.0]), budget.fits([10.0, 10.0])
        (True, True, False)
    """

    hours: float
    known: list[float] = field(default_factory=list)
    spent: float = 0.0

    @property
    def price(self) -> float:
        """Seconds a run takes, as the done ones did (their mean); 0 while none is done."""
        return sum(self.known) / len(self.known) if self.known else 0.0

    def fits(self, under_way: Sequence[float] = ()) -> bool:
        """Return whether one more run fits beside those under way.

        Args:
            under_way: Seconds since each run under way began.
        """
        committed = sum(max(self.price, seconds) for seconds in under_way)
        return self.spent + committed + self.price <= self.hours * SECONDS_PER_HOUR

    def count(self, spent: float, seconds: float | None) -> None:
        """Count a run that has ended.

        Args:
            spent: Seconds it cost.
            seconds: Seconds a run takes, None if it failed: a failure tells nothing of the price.
        """
        self.spent += spent
        self.known += [] if seconds is None else [seconds]

    def require(self) -> None:
        """Refuse to go on if no further run fits.

        Raises:
            InputError: If none does.
        """
        if not self.fits():
            msg = (
                f"max_hours must allow at least one more run of about {self.price:.0f} s, got {self.hours} h, "
                f"of which {self.spent:.0f} s are spent. Raise it and start again: what is done is kept."
            )
            raise InputError(msg)

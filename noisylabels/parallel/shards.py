"""A part of the work for one of several machines that know nothing of each other (SLURM, Snakemake, Nextflow)."""

from dataclasses import dataclass

from noisylabels.data.errors import InputError
from noisylabels.data.hashes import hash_bytes


@dataclass(frozen=True)
class Shard:
    """Shard i of n. An item's shard hangs on its own name only, never on its position in a list.

    Args:
        number: Which, from 1.
        count: Of how many.

    Raises:
        InputError: If the number is not in 1..count.

    Examples:
        >>> Shard.parse("3/20")
        Shard(number=3, count=20)
    """

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            msg = (
                f"A shard must be i/n with i in 1..n, got '{self.number}/{self.count}'. For the first of 20 write 1/20."
            )
            raise InputError(msg)

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read `i/n`."""
        number, _, count = text.partition("/")
        if not (number.isdigit() and count.isdigit()):
            raise InputError(_rule(text))
        return cls(int(number), int(count))

    def holds(self, name: str) -> bool:
        """Return whether the item of this name (a field of a plate, a run of a grid) belongs to this shard."""
        return int(hash_bytes(name.encode())[:16], 16) % self.count == self.number - 1


def _rule(got: str) -> str:
    return f"A shard must be i/n with i in 1..n, got {got!r}. For the first of 20 write 1/20."

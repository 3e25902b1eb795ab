"""What a benchmark hands over: ratios of ours, the peer's and the floor, for a person to read and for the page of all.

Every benchmark ends in `hand_over`, which prints its ratios and, with `--json FILE`, writes them. All quantities are
costs (seconds, bytes): less is better, so "peer / ours" tells how many times cheaper ours is, "ours / floor" how near.
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from noisylabels.data.atomic import write_text

Cost = float | tuple[float, ...]


@dataclass(frozen=True)
class Ratio:
    """One thing measured, beside a peer or a floor or both, in one run.

    Attributes:
        what: What is measured, in the reader's words.
        ours: What it costs us, in `unit`: one number, or one per round where the rounds are interleaved.
        unit: Of `ours`, `peer` and `floor`: "ms", "s", "MiB".
        clock: "cpu" (processor time: other programs count little), "wall", or "" for what is not a time.
        peer: What the same costs another way, in as many rounds.
        peer_name: Which way.
        floor: What no way avoids, in as many rounds.
        floor_name: Which thing.
        aim: What was promised, in words; empty where nothing was.
        met: Whether it was kept in this run; None without an aim.

    Examples:
        >>> ratio = Ratio("a stroke", (2.0, 3.0), "ms", "wall", floor=(1.0, 2.0), floor_name="flush alone")
        >>> ratio.over_floor
        1.75
        >>> print(ratio)
        a stroke: 2.50 ms (wall); flush alone 1.50 ms, ours / floor 1.75
    """

    what: str
    ours: Cost
    unit: str
    clock: str
    peer: Cost | None = None
    peer_name: str = ""
    floor: Cost | None = None
    floor_name: str = ""
    aim: str = ""
    met: bool | None = None

    @property
    def peer_over(self) -> float | None:
        """How many times what ours costs the peer costs: the median over the rounds."""
        return None if self.peer is None else divide(self.peer, self.ours)

    @property
    def over_floor(self) -> float | None:
        """How many times what the floor costs ours costs: the median over the rounds."""
        return None if self.floor is None else divide(self.ours, self.floor)

    def __str__(self) -> str:
        parts = [f"{self.what}: {amount(self.ours, self.unit)}" + (f" ({self.clock})" if self.clock else "")]
        if self.peer_over is not None:
            parts.append(f"{self.peer_name} {amount(self.peer, self.unit)}, peer / ours {figure(self.peer_over)}")
        if self.over_floor is not None:
            parts.append(f"{self.floor_name} {amount(self.floor, self.unit)}, ours / floor {figure(self.over_floor)}")
        if self.aim:
            parts.append(f"aim: {self.aim}, {'met' if self.met else 'MISSED'}")
        return "; ".join(parts)


@dataclass(frozen=True)
class LeftOut:
    """One thing that a benchmark did not measure here, and why."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"left out: {self.what}: {self.why}"


def divide(over: Cost, under: Cost) -> float:
    """Divide round by round and take the median; what costs nothing measurable gives infinity."""
    pairs = zip(rounds_of(over), rounds_of(under), strict=True)
    return float(median(one / other if other else math.inf for one, other in pairs))


def rounds_of(cost: Cost) -> tuple[float, ...]:
    return tuple(cost) if isinstance(cost, Sequence) else (float(cost),)


def figure(number: float) -> str:
    """Write a number with three digits that count, and none more than that.

    Examples:
        >>> [figure(number) for number in (0.01234, 1.0, 12.345, 4321.0)]
        ['0.0123', '1.00', '12.3', '4321']
    """
    if number == 0 or not math.isfinite(number):
        return f"{number:g}"
    return f"{number:.{max(0, 2 - math.floor(math.log10(abs(number))))}f}"


def amount(cost: Cost, unit: str) -> str:
    return f"{figure(median(rounds_of(cost)))} {unit}"


def missing(what: str, package: str, extra: str = "bench") -> LeftOut | None:
    """Tell why something is left out, where the package that it needs is not installed; else None.

    Examples:
        >>> missing("arrays", "numpy") is None
        True
        >>> print(missing("a peer", "no_such_package"))
        left out: a peer: no_such_package is not installed (pip install 'noisylabels[bench]')
    """
    if find_spec(package):
        return None
    return LeftOut(what, f"{package} is not installed (pip install 'noisylabels[{extra}]')")


def option_parser(description: str | None) -> argparse.ArgumentParser:
    """Make the parser of a benchmark's options, with the one that all have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the ratios there as well")
    return parser


def hand_over(measured: Sequence[Ratio | LeftOut], path: Path | None) -> None:
    """Print what was measured and what was left out; write both to `path`, whole or not at all, where one is given."""
    for one in measured:
        print(one)
    if path is not None:
        ratios = [asdict(one) for one in measured if isinstance(one, Ratio)]
        left_out = [asdict(one) for one in measured if isinstance(one, LeftOut)]
        write_text(path, json.dumps({"ratios": ratios, "left_out": left_out}))


def take_over(path: Path) -> list[Ratio | LeftOut]:
    """Read what `hand_over` wrote."""
    content = json.loads(path.read_text())
    ratios = [Ratio(**{name: _rounds(value) for name, value in one.items()}) for one in content["ratios"]]
    return [*ratios, *(LeftOut(**one) for one in content["left_out"])]


def _rounds(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value

"""Pairs of a teacher and its student whose truth is known: how far gains can be foreseen without one."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.score_rows import Row, read
from noisylabels.experiments.pairs import LEAST_PAIRS, Pair, expect_gain, rank_with_bootstrap, write_pairs


def collect_pairs(options: argparse.Namespace) -> None:
    """Make the table of pairs that `noisylabels foresee` expects gains from."""
    pairs = [
        Pair(
            row["screen"],
            row["kind"],
            row["labels"],
            1 - float(row["agreement"]),
            float(row["teacher"]),
            float(row["student"]),
            float(row["refereed"]),
        )
        for row in read_all(options.rows, by=())  # a pair counts once, however long its student learnt
        if row["labels"] != "truth"
    ]
    write_pairs(options.out, pairs)


def read_all(paths: Sequence[Path], *, by: Sequence[str] = ("steps",)) -> list[Row]:
    """Read the rows of several tables, the first of those of one training; `by` names what else tells them apart."""
    rows = [row for path in paths for row in read(path)]
    keys = [tuple(row[name] for name in ("screen", "labels", "gold", "seed", *by)) for row in rows]
    return [row for place, row in enumerate(rows) if keys.index(keys[place]) == place]


def write_ranks(pairs: Sequence[Pair]) -> Iterator[str]:
    """Write how inconsistency and a referee rank gains, and agreement teachers."""
    yield "| pairs | of sets | inconsistency and gain | refereed and true gain | agreement and teacher's score |"
    yield f"|{5 * '---|'}"
    for kind in ("simulated", "real", "all"):
        chosen = [pair for pair in pairs if kind in ("all", pair.kind)]
        if len(chosen) >= LEAST_PAIRS:
            found = rank_with_bootstrap(chosen)
            cells = {name: f"{rho:.2f} [{low:.2f}, {high:.2f}]" for name, (rho, low, high) in found.items()}
            cells["refereed"] += f" of {len(list_judged(chosen))}"
            yield f"| {len(chosen)} {kind} | {len({pair.set for pair in chosen})} | {' | '.join(cells.values())} |"


def write_left_out(pairs: Sequence[Pair]) -> Iterator[str]:
    """Write of each set how the gains that the other sets let expect from the referee compare with the true ones."""
    yield "| set left out | judged | true gains | foreseen by the other sets | mean error | within the interval |"
    yield f"|{6 * '---|'}"
    judged = list_judged(pairs)
    for name in dict.fromkeys(pair.set for pair in judged):
        mine = [pair for pair in judged if pair.set == name]
        others = [pair for pair in judged if pair.set != name]
        expected = [expect_gain(pair.refereed, others, by="refereed") for pair in mine]
        found = [(pair.gain, gain) for pair, gain in zip(mine, expected, strict=True) if gain is not None]
        if not found:
            continue
        true, foreseen = np.array([(gain, one.expected) for gain, one in found]).T
        inside = sum(one.low <= gain <= one.high for gain, one in found)
        yield (
            f"| {name} | {len(found)} | {true.min():+.3f} to {true.max():+.3f} | {foreseen.min():+.3f} to "
            f"{foreseen.max():+.3f} | {abs(foreseen - true).mean():.3f} | {inside} of {len(found)} |"
        )


def list_judged(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs whose gain a referee has seen."""
    return [pair for pair in pairs if np.isfinite(pair.refereed)]

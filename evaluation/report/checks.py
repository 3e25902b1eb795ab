"""Checks: what can make the numbers of a report mislead, each with a traffic light."""

from collections.abc import Mapping

import numpy as np

from evaluation.metrics.counts import CountTable
from evaluation.metrics.tables import absent_matters
from evaluation.report.pages import Check

DECISIVE_CLUSTERS = 6  # with fewer no paired permutation test can reach 5 %
FEW_CLUSTERS = 12
RARE = 0.001  # a class below this share of the pixels can hardly move a pixel score


def check_evaluation(table: CountTable, *, hashes: Mapping[str, str], skipped: Mapping[str, str]) -> tuple[Check, ...]:
    """Find what makes the numbers of an evaluation mislead.

    Args:
        table: The counts.
        hashes: Hash of all label maps by label set; equal hashes mean equal maps.
        skipped: Why a field was left out, by "method/field".
    """
    return (
        _check_clusters(table),
        *_check_classes(table),
        _check_sameness(hashes, table),
        _check_absent(table),
        _check_pairing(table, skipped),
    )


def _check_clusters(table: CountTable) -> Check:
    clusters = set(zip(table.keys["plate"].tolist(), table.keys["cluster"].tolist(), strict=True))
    n_fields, n = len(set(table.keys["field"].tolist())), len(clusters)
    text = f"{n_fields} fields in {n} independent clusters (wells, or fields of view)"
    if n < DECISIVE_CLUSTERS:
        return Check("bad", f"{text}: with fewer than {DECISIVE_CLUSTERS} no method can be shown to be better.")
    if n < FEW_CLUSTERS:
        return Check("doubt", f"{text}: intervals hold, but are wide; {FEW_CLUSTERS} or more show smaller differences.")
    return Check("good", f"{text}.")


def _check_classes(table: CountTable) -> list[Check]:
    pixels = table.confusion.sum((0, 2))
    shares = pixels / max(1, pixels.sum())
    checks = []
    absent = [name for name, count in zip(table.classes, pixels, strict=True) if count == 0]
    rare = [f"{name} ({share:.2%})" for name, share in zip(table.classes, shares, strict=True) if 0 < share < RARE]
    if absent:
        checks.append(Check("bad", f"The reference has no pixel of {', '.join(absent)}: its scores are undefined."))
    if rare:
        checks.append(Check("doubt", f"Rare in the reference: {', '.join(rare)} of the pixels; read the event scores."))
    if not checks:
        text = ", ".join(f"{name} {share:.1%}" for name, share in zip(table.classes, shares, strict=True))
        checks.append(Check("good", f"Every class occurs in the reference: {text} of the pixels."))
    return checks


def _check_sameness(hashes: Mapping[str, str], table: CountTable) -> Check:
    perfect = [
        method
        for method in table.methods
        if np.array_equal(part := table.select(method=method).confusion.sum(0), np.diag(np.diag(part)))
    ]
    same = sorted({name for name in hashes for other in hashes if name != other and hashes[name] == hashes[other]})
    if perfect or same:
        names = ", ".join(dict.fromkeys([*perfect, *same]))
        return Check(
            "bad", f"Label maps of {names} are the same pixel by pixel: was the reference made from a prediction?"
        )
    return Check("good", "No two label sets are the same: the reference was not copied from a prediction.")


def _check_absent(table: CountTable) -> Check:
    if absent_matters(table):
        return Check(
            "doubt", "A class is undefined in some field; skipping it or counting it as 0 differ: both are shown."
        )
    return Check("good", "No score is undefined: skipping undefined classes or counting them as 0 is the same.")


def _check_pairing(table: CountTable, skipped: Mapping[str, str]) -> Check:
    by_method = {method: set(table.select(method=method).keys["field"].tolist()) for method in table.methods}
    shared = set.intersection(*by_method.values()) if by_method else set()
    every = set.union(*by_method.values()) if by_method else set()
    if skipped or shared != every:
        names = sorted(every - shared)[:3] or sorted(skipped)[:3]
        n = len(every - shared) or len(skipped)
        return Check("bad", f"{n} fields lack a method ({', '.join(names)}): comparisons leave them out.")
    return Check("good", "Every method was evaluated on the same fields.")

"""Costs: human minutes and machine seconds of every stage, and how many fields until a method pays."""

from collections.abc import Mapping


def find_crossings(costs: Mapping[str, tuple[float, float]]) -> list[tuple[str, str, float]]:
    """Find where one method's total cost falls below another's.

    Args:
        costs: (fixed cost, cost per field) by method.

    Returns:
        The method that is cheaper from there on, the one it overtakes, and the number of fields.

    Examples:
        >>> find_crossings({"manual": (0, 2), "CDL": (10, 1)})
        [('CDL', 'manual', 10.0)]
    """
    found = []
    for later, (fixed, slope) in costs.items():
        for earlier, (other_fixed, other_slope) in costs.items():
            if fixed > other_fixed and slope < other_slope:
                found.append((later, earlier, (fixed - other_fixed) / (other_slope - slope)))
    return found

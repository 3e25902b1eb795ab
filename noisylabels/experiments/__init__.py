"""A declaration to a grid of runs to curves with intervals."""

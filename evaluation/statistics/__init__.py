"""Scores -> intervals, tests and effect sizes."""

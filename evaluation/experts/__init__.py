"""Boxes, ratings and costs of experts."""

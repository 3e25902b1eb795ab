"""Plates and screens: wells, drift, quality."""

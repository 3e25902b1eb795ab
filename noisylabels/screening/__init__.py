"""Plates in, label maps and measurements of every field out, on one machine or many."""

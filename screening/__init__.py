"""A plate to label maps and measurements of every field."""

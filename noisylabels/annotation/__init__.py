"""A person and a label map, boxes or ratings: the browser desk."""

"""Label maps, boxes and ratings to numbers, and numbers to a report."""

"""Label maps -> integer counts -> scores."""

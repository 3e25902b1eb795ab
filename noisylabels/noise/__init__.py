"""Label map -> noisy label map with a log of every error; calibrated, detected."""

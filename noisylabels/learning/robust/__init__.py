"""Learning from noisy labels: losses, label corrections and schedules that a bundle's config can name."""

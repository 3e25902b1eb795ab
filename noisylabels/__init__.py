"""Learn to segment microscopy screens from noisy labels."""

__version__ = "0.1.0"

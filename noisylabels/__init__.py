"""Learn to segment microscopy screens from noisy labels."""

import lazy_loader

__version__ = "0.2.0"
# What the face offers stands, with its types, in __init__.pyi; each name is loaded when it is used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

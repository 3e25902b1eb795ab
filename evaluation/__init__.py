"""Label maps, boxes and ratings to numbers, and numbers to a report."""

import lazy_loader

# What the face offers stands, with its types, in __init__.pyi; each name is loaded when it is used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""A Fractal task package of one task: label the events of an OME-Zarr image."""

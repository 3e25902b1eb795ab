"""Plates as the microscope wrote them: one lazy `Plate -> Well -> Field`, whatever the format.

Every reader keys its planes by row, column, field, channel, plane and time, never by position in a file list:
planes go missing. Nothing is decoded before a field is read, and reading changes no file.
"""

from noisylabels.data.wells import WellPosition
from noisylabels.plates.fields import Field, Plane, TiffField
from noisylabels.plates.formats import FORMATS, open_plate, open_plates
from noisylabels.plates.omezarr_labels import write_labels
from noisylabels.plates.omezarr_writer import write_plate
from noisylabels.plates.plate import Plate, Well

__all__ = [
    "FORMATS",
    "Field",
    "Plane",
    "Plate",
    "TiffField",
    "Well",
    "WellPosition",
    "open_plate",
    "open_plates",
    "write_labels",
    "write_plate",
]

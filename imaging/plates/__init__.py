"""Plates as the microscope wrote them: one lazy `Plate -> Well -> Field`, whatever the format.

Every reader keys its planes by row, column, field, channel, plane and time, never by position in a file list:
planes go missing. Nothing is decoded before a field is read, and reading changes no file.
"""

from imaging.plates.fields import Field, Plane, TiffField
from imaging.plates.formats import FORMATS, open_plate, open_plates
from imaging.plates.omezarr_labels import write_labels
from imaging.plates.omezarr_writer import write_plate
from imaging.plates.plate import Plate, Well
from imaging.plates.wells import WellPosition

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

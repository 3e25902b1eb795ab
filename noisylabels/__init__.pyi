from .data.dataset import Dataset, open_dataset
from .data.errors import InputError
from .data.events import label_events, measure_events
from .data.images import read_image, read_label_map
from .data.labels import ROSELLA, ROSELLA_PHASES, ClassTable
from .importing.folder import import_folder
from .learning.models import Model, load_model, predict
from .noise.model import NoiseModel
from .noise.presets import load_noise
from .plates.formats import open_plates
from .simulation.field import simulate_field

__version__: str
__all__ = [
    "ROSELLA",
    "ROSELLA_PHASES",
    "ClassTable",
    "Dataset",
    "InputError",
    "Model",
    "NoiseModel",
    "import_folder",
    "label_events",
    "load_model",
    "load_noise",
    "measure_events",
    "open_dataset",
    "open_plates",
    "predict",
    "read_image",
    "read_label_map",
    "simulate_field",
]

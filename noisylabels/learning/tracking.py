"""A training's scalars in MLflow, by MONAI's own handler."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from monai.handlers import MLFlowHandler
from monai.utils import path_to_sqlite_uri

from noisylabels.data.errors import InputError


class EpochTracker(MLFlowHandler):
    """Send the scalars of each epoch, and once the settings, to MLflow.

    They go to `mlruns.db` in the output folder, or to the server that MLflow's own variable MLFLOW_TRACKING_URI names.
    No config can name a server or a file to send: a bundle may be a stranger's.

    Args:
        output_dir: Folder of the training; the name of the run.
        experiment_name: What runs are listed under.
        settings: Logged once, by name.
        last: Whether the run is over when the engine is. Of the trainer alone.

    Raises:
        InputError: If MLflow is not installed.
    """

    def __init__(
        self,
        output_dir: str | Path,
        *,
        experiment_name: str = "noisylabels",
        settings: Mapping[str, str | int | float] | None = None,
        last: bool = False,
    ) -> None:
        if importlib.util.find_spec("mlflow") is None:
            msg = (
                "The preset mlflow must have the package mlflow, got an installation without it. "
                "pip install 'noisylabels[mlflow]'"
            )
            raise InputError(msg)
        folder = Path(output_dir).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(
            tracking_uri=path_to_sqlite_uri(folder / "mlruns.db"),
            experiment_name=experiment_name,
            run_name=str(output_dir),
            iteration_log=False,
            experiment_param=dict(settings or {}),
            close_on_complete=last,
        )

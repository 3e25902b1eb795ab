"""What `noisylabels predict` writes beside label maps, as overrides of the bundle's config."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.labels import IGNORE_INDEX, LabelMap, require_same_classes

if TYPE_CHECKING:
    from noisylabels.learning.calibration import Calibration
    from noisylabels.learning.launch import Launch

STEP = "noisylabels.learning.confidence.EventConfidenced"


def add_outputs(
    launch: "Launch",
    *,
    probabilities: bool = False,
    instances: bool = False,
    calibrate_on: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, str]:
    """Return the overrides of a prediction that write more beside its label maps.

    Probabilities and instance maps of a dataset folder go to probabilities/<method>/ and instances/<method>/ in it,
    those of a plain folder of images beside its label maps.

    Args:
        launch: The prediction, planned.
        probabilities: Write class probabilities.
        instances: Write instance maps.
        calibrate_on: A label set: calibrate probabilities on its validation fields.
        say: Is told what the calibration changed.

    Raises:
        InputError: If the bundle's config, or a preset, does not measure events; if there is nothing to calibrate on.
    """
    _require_step(launch)
    added = {}
    for wanted, what in ((probabilities, "probabilities"), (instances, "instances")):
        if wanted:
            added[f"{what}_dir"] = str(find_place(launch, what))
    if calibrate_on is not None:
        found = calibrate(launch, calibrate_on)
        say(describe(found, calibrate_on))
        added["temperature"] = f"{found.temperature:.6g}"
    return added


def find_place(launch: "Launch", what: str) -> Path:
    """Return where probabilities or instance maps of a prediction go.

    Args:
        launch: The prediction, planned.
        what: "probabilities" or "instances".
    """
    from noisylabels.learning.launcher import find_output

    output = find_output(launch)
    if output.parent.name == "labels":
        return output.parent.parent / what / output.name
    return output.with_name(f"{output.name}-{what}")


def calibrate(launch: "Launch", labels: str) -> "Calibration":
    """Fit the temperature of a prediction's network to trusted labels of the validation fields.

    Args:
        launch: The prediction, planned.
        labels: The label set to trust.

    Raises:
        InputError: If it predicts no dataset folder, or no validation field has a label map in the set, or the classes
            are not those of the network.
    """
    from noisylabels.learning.calibration import fit_temperature
    from noisylabels.learning.models import load_model

    folder = Path(str(launch.overrides.get("dataset_dir", "")))
    if not (folder / "datalist.json").is_file():
        msg = (
            f"--calibrate-on must have a dataset folder, whose validation fields are held out, got {folder}. Import it."
        )
        raise InputError(msg)
    dataset = open_dataset(folder)
    dataset.require_labels(labels)
    ids = [case_id for case_id in dataset.ids("validation") if dataset.label_path(labels, case_id).is_file()]
    if not ids:
        msg = f"--calibrate-on must name labels of validation fields, got {labels}, which has none of them. Label some."
        raise InputError(msg)
    model = load_model(str(launch.overrides.get("ckpt_path")), bundle=str(launch.bundle))
    require_same_classes(model.classes, dataset.classes, what="the model", folder=folder)
    return fit_temperature((model.logits(dataset.image(one)), _label_map(dataset, labels, one)) for one in ids)


def describe(found: "Calibration", labels: str) -> str:
    """Describe what a calibration changed."""
    (loss, less), (error, smaller) = found.loss, found.error
    return (
        f"temperature {found.temperature:.3f}, fitted to {labels} of {found.n_fields} validation fields: negative "
        f"log-likelihood {loss:.4f} -> {less:.4f}, expected calibration error {error:.4f} -> {smaller:.4f}"
    )


def _label_map(dataset: Dataset, labels: str, case_id: str) -> LabelMap:
    return dataset.label_map(labels, case_id, like=dataset.image(case_id), ignore_index=IGNORE_INDEX)


def _require_step(launch: "Launch") -> None:
    steps = (launch.merged().get("postprocessing") or {}).get("transforms") or []
    if not any(isinstance(step, dict) and step.get("_target_") == STEP for step in steps):
        named = ", ".join(launch.presets) or launch.bundle.name
        msg = (
            f"Probabilities and instances must be of a prediction that measures events, got {named}, which does not. "
            "Predict without that preset, or with the bundle cdl or mdl."
        )
        raise InputError(msg)

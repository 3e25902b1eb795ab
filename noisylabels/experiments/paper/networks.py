"""The networks of the study, trained and run through the bundles: CDL looked at by epoch and size, MDL twice."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.data.views import write_view
from noisylabels.experiments.paper.screen import CIP
from noisylabels.experiments.paper.settings import StudySettings

CDL, MDL, FINETUNED = "cdl", "mdl", "mdl-finetuned"
BEST, LAST = "model.pt", "last.pt"
LEARNING_RATE_PERIOD = 3
"""Epochs until the learning rate drops: the bundles' and the paper's."""


class Recipe(Protocol):
    """What the trainings of a study have in common: a preset of the bundles, and values over it."""

    @property
    def preset(self) -> str:
        """Name of the preset, or ""."""

    @property
    def overrides(self) -> Mapping[str, object]:
        """Values of the bundles' configs."""


def train(
    bundle: str,
    dataset: Path,
    folder: Path,
    settings: Recipe,
    *,
    epochs: int,
    seed: int,
    init: Path | None = None,
    stretch: int = 1,
    horizon: int | None = None,
) -> str:
    """Train a bundle, or go on where a training stopped; one with fewer epochs is prolonged.

    Args:
        bundle: cdl or mdl.
        dataset: The dataset folder.
        folder: Where the weights go: model.pt, the best on the validation labels, and last.pt.
        settings: Preset and overrides of the bundle.
        epochs: Up to which epoch.
        seed: Of the weights and of the order.
        init: Weights to start from; None: from scratch.
        stretch: How many epochs stand for one, in the learning rate's schedule and between validations.
        horizon: Epochs over which the learning rate falls to 0; None: `epochs`. One that is prolonged needs the last.

    Returns:
        The `python -m monai.bundle run` line that does the same.
    """
    from noisylabels.learning import launcher

    values = {**settings.overrides, "dataset_dir": str(dataset), "output_dir": str(folder), "seed": seed}
    by_epochs = settings.preset in ("paper", "sgd")  # their learning rate falls by epochs, not over the whole training
    values |= {} if by_epochs else {"schedule_epochs": horizon or epochs}
    values |= {"num_epochs": epochs} | ({} if init is None else {"init": str(init)})
    if stretch > 1:
        values |= {"val_interval": stretch}
        values |= {"learning_rate_period": stretch * LEARNING_RATE_PERIOD} if by_epochs else {}
    launch = launcher.plan_training(bundle, _presets(settings), values)
    launcher.run(launch)
    return launch.command_line()


def predict(bundle: str, dataset: Path, weights: Path, labels: Path, *, split: str = "all") -> str:
    """Write a label map of every field of a split.

    Args:
        bundle: cdl or mdl.
        dataset: The dataset folder.
        weights: The checkpoint; how it was trained is read from the record beside it.
        labels: Folder of the label maps.
        split: Which fields.

    Returns:
        The `python -m monai.bundle run` line that does the same.
    """
    from noisylabels.learning import launcher

    values = {"dataset_dir": str(dataset), "ckpt_path": str(weights), "output_dir": str(labels), "split": split}
    launch = launcher.plan_prediction(bundle, (), values)
    launcher.run(launch)
    return launch.command_line()


def name_look(epoch: int) -> str:
    """Return the name of the label set of CDL after an epoch.

    Examples:
        >>> name_look(3)
        'cdl-e3'
    """
    return f"{CDL}-e{epoch}"


def name_size(fields: int) -> str:
    """Return the name of the label set of a CDL that was trained on fewer fields.

    Examples:
        >>> name_size(22)
        'cdl-n22'
    """
    return f"{CDL}-n{fields}"


def look_at_cdl(screen: Path, folder: Path, settings: StudySettings, *, epoch: int, seed: int) -> Mapping[str, object]:
    """Train CDL on the CIP's labels up to an epoch, and predict the held-out fields with the weights of that epoch."""
    trained = train(CDL, screen, folder, settings, epochs=epoch, seed=seed, horizon=settings.looks[-1])
    predicted = predict(CDL, screen, folder / LAST, screen / "labels" / name_look(epoch), split="test")
    return {"commands": [trained, predicted]}


def use_cdl(screen: Path, nets: Path, settings: StudySettings, *, seed: int) -> Mapping[str, object]:
    """Predict the held-out fields with CDL as it is used, after training it to where it stops if it stops early."""
    commands = []
    if settings.stop:
        folder = find_weights(nets, settings).parent
        commands.append(train(CDL, screen, folder, settings, epochs=settings.stop, seed=seed))
    target = screen / "labels" / CDL
    return {"commands": [*commands, predict(CDL, screen, find_weights(nets, settings), target, split="test")]}


def find_weights(nets: Path, settings: StudySettings) -> Path:
    """Return where the weights of CDL lie: those of the epoch it stops after, or those that fit the CIP best.

    Args:
        nets: Folder of the networks of a screen.
        settings: Of the study.
    """
    return nets / f"{CDL}-stopped" / LAST if settings.stop else nets / CDL / BEST


def size_cdl(screen: Path, folder: Path, settings: StudySettings, *, fields: int, seed: int) -> Mapping[str, object]:
    """Train a CDL on some of the training fields for as many steps as the full one, and predict the held-out fields."""
    dataset = open_dataset(screen)
    n_training = len(dataset.ids("training"))
    few = min(fields, n_training)
    view = _narrow(dataset, folder.with_name(f"{folder.name}-fields"), n=few, seed=seed)
    stretch = max(1, round(n_training / few))
    epochs = settings.looks[-1] * stretch
    trained = train(CDL, view, folder, settings, epochs=epochs, seed=seed, stretch=stretch)
    predicted = predict(CDL, screen, folder / BEST, screen / "labels" / name_size(fields), split="test")
    return {"fields": few, "epochs": epochs, "commands": [trained, predicted]}


def train_mdl(
    quarters: Path, folder: Path, settings: StudySettings, *, name: str, seed: int, init: Path | None = None
) -> Mapping[str, object]:
    """Train MDL on the corrected quarters, from scratch or from CDL's weights, and predict all quarters."""
    trained = train(MDL, quarters, folder, settings, epochs=settings.mdl_epochs, seed=seed, init=init)
    predicted = predict(MDL, quarters, folder / BEST, quarters / "labels" / name)
    return {"commands": [trained, predicted]}


def _narrow(screen: Dataset, folder: Path, *, n: int, seed: int) -> Path:
    """Make a dataset folder of fewer training fields that points at the screen's images."""
    training = sorted(screen.ids("training"))
    order = np.random.default_rng([seed, 2]).permutation(len(training))[:n]
    kept = {training[position] for position in order.tolist()} | set(screen.ids("validation"))
    return write_view(screen, folder, ids=kept, name=CIP, source=CIP)


def _presets(settings: Recipe) -> Sequence[str]:
    return (settings.preset,) if settings.preset else ()

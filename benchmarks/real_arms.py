"""Few trusted fields beside weak labels: CDL fine-tuned on them, and a corrector that sees the weak labels as well.

Both start from the label set that is nearest to the truth on the trusted fields themselves (no other truth is looked
at). `fine-tuned` goes on from the CDL weights of that label set at 0.3 of the learning rate, as the declared
experiments do. `corrector` is the network of `noisylabels correct`: the weak labels enter as further channels, and the
label maps it makes of the test fields are scored. The command's control, which refuses a corrector that is not worth
its while, is left out here, because the table is to show what it would refuse.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from noisylabels.data.dataset import Dataset
from noisylabels.data.images import read_label_map
from noisylabels.data.labels import LabelMap
from noisylabels.data.views import view_of, write_view
from noisylabels.experiments.confusions import confuse, mean_iou
from noisylabels.experiments.corrector import train_learner
from noisylabels.experiments.foresight import train_last
from noisylabels.experiments.label_channels import write_pairs_view
from noisylabels.experiments.stages import FINETUNE_RATE

PLAIN, FINE_TUNED, CORRECTOR = "plain", "fine-tuned", "corrector"
ARMS = (PLAIN, FINE_TUNED, CORRECTOR)
LEARNING_RATE = 0.003
"""The bundle's own, of which fine-tuning takes a share where the recipe has none."""

Reader = Callable[[str], LabelMap]


def choose_labels(dataset: Dataset, ids: Sequence[str]) -> str:
    """Name the label set that is nearest to the truth of trusted fields by mean IoU; of equals the first by name."""
    trusted = view_of(dataset, dataset.folder, ids)
    (split,) = {case.split for case in trusted.cases}

    def near(name: str) -> float:
        counts = confuse(trusted, partial(dataset.label_map, "truth"), partial(dataset.label_map, name), split=split)
        return float(mean_iou(counts.sum(0)))

    return max((name for name in dataset.label_names() if name != "truth"), key=near)


def fine_tune(
    dataset: Dataset,
    ids: Sequence[str],
    labels: str,
    folder: Path,
    *,
    steps: int,
    seed: int,
    overrides: Mapping[str, object],
    recipe: Mapping[str, object],
) -> Path:
    """Train CDL on a label set, if its weights are not kept yet, and go on with them on the truth of trusted fields.

    Args:
        dataset: The dataset folder; CDL's weights are kept in its folder `students`.
        ids: The trusted training fields.
        labels: The label set of CDL.
        folder: Where the fine-tuned weights go.
        steps: Steps of either training.
        seed: Of both.
        overrides: Config values of the fine-tuning.
        recipe: Config values of CDL's training.

    Returns:
        The fine-tuned weights.
    """  # fmt: skip
    student = dataset.folder / "students" / f"{labels}-{seed}-{steps}"
    n_fields = len(dataset.ids("training"))
    train_last(dataset.folder, labels, student, n_fields=n_fields, steps=steps, seed=seed, overrides=recipe)
    source = write_view(
        dataset, folder / "fields", ids={*ids, *dataset.ids("validation")}, name="truth", source="truth"
    )
    rate = FINETUNE_RATE * float(str(recipe.get("learning_rate", LEARNING_RATE)))
    values = {**overrides, "init": str(student / "last.pt"), "learning_rate": rate}
    train_last(source, "truth", folder / "model", n_fields=len(ids), steps=steps, seed=seed, overrides=values)
    return folder / "model" / "last.pt"


def correct(
    dataset: Dataset,
    ids: Sequence[str],
    labels: str,
    folder: Path,
    *,
    steps: int,
    seed: int,
    overrides: Mapping[str, object],
) -> Reader:
    """Learn what trusted fields say of image and weak labels, and correct the labels of validation and test fields.

    Args:
        dataset: The dataset folder.
        ids: The trusted training fields.
        labels: The weak label set.
        folder: For the training.
        steps: Of the training.
        seed: Of the training.
        overrides: Config values of the training.

    Returns:
        The corrected label map of a validation or test field by its id.
    """  # fmt: skip
    held = [*dataset.ids("validation"), *dataset.ids("test")]
    pairs = write_pairs_view(dataset, folder / "fields", "truth", ids, held, weak=labels)
    return train_learner(steps=steps, seed=seed, overrides=overrides)(pairs, "truth", folder / "run")


def read_from(folder: Path) -> Reader:
    """Return what reads the label map of a field from a folder."""
    return lambda case_id: read_label_map(folder / f"{case_id}.tif")

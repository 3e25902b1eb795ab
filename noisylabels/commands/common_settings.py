"""The settings of a bundle's config that most people change, as `train --help` and `predict --help` list them."""

TRAINING = (
    ("dataset_dir", "the bundle's data", "the dataset folder"),
    ("label_name", "cip; mdl: corrected", "the label set to learn from"),
    ("output_dir", "runs/<bundle>", "where weights and TensorBoard events go"),
    ("num_epochs", "15; mdl: 60", "how long; the rate falls to 0 at the end"),
    ("batch_size", "8", "crops a step"),
    ("learning_rate", "0.003; mdl: 0.01", "the highest"),
    ("patch_size", "[128, 128]", "of the crops; one number for both sides; [-1, -1] takes whole fields"),
    ("crops_per_field", "1", "in each epoch"),
    ("event_share", "0.6666", "of the crops that are centred on an event"),
    ("weight_decay", "0.01", "of AdamW"),
    ("init", "none", "weights to start from (fine-tuning)"),
    ("resume", "true", "go on from last.pt; false starts anew and replaces it"),
    ("seed", "0", "of weights, crops and augmentation"),
)
PREDICTION = (
    ("dataset_dir", "the bundle's data", "a dataset folder, or any folder of images"),
    ("ckpt_path", "what comes along", "the weights, model.pt"),
    ("split", "all", "training, validation, test or all"),
    ("method", "the model's name", "the label set that is written"),
    ("output_dir", "labels/<method>", "where label maps go"),
    ("min_event_px", "0", "events with fewer pixels become background; the nuclei weights bring 20"),
    ("batch_size", "1", "fields at once"),
)
"""Name, default as it is written in the config where it stands there, and what it sets."""


def describe(settings: tuple[tuple[str, str, str], ...]) -> str:
    r"""Write the settings as lines of a command's help.

    Examples:
        >>> describe((("seed", "0", "of weights"),))
        'Common settings:\n--seed  of weights (default: 0)'
    """
    width = max(len(name) for name, _, _ in settings)
    lines = [f"--{name:<{width}}  {what} (default: {default})" for name, default, what in settings]
    return "\n".join(["Common settings:", *lines])

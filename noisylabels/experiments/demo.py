"""The main job from nothing to a report, by the commands that a user would type."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from noisylabels.data.errors import InputError


def list_steps(folder: Path, *, fields: int, seed: int, workers: int, epochs: int | None = None) -> list[list[str]]:
    """List the commands: simulate, label with the CIP, train CDL on those labels, predict, evaluate and report.

    Args:
        folder: Where everything goes.
        fields: Fields to simulate, labelled whole, then cut in quarters: 0.7 train, 0.1 choose the epoch, 0.2 test.
        seed: Of the screen and the training.
        workers: Processes for simulating and labelling.
        epochs: Epochs of training; the demo preset's own when None.

    Returns:
        The words of each command after `noisylabels`.

    Examples:
        >>> [words[0] for words in list_steps(Path("d"), fields=8, seed=0, workers=1)]
        ['simulate', 'cip', 'quarters', 'train', 'predict', 'evaluate']
    """
    whole, screen, model, evaluation = (str(folder / name) for name in ("whole", "screen", "model", "evaluation"))
    count = ["--fields", str(fields), "--seed", str(seed), "--fractions", "0.7,0.1,0.2"]
    length = [] if epochs is None else ["--num_epochs", str(epochs), "--val_interval", "1"]
    return [
        ["simulate", whole, *count, "--workers", str(workers)],
        ["cip", whole, "--workers", str(workers), "--reference", "truth"],
        ["quarters", whole, screen],
        ["train", "cdl", "--preset", "demo", "--dataset_dir", screen, "--output_dir", model, *length],
        ["predict", "cdl", "--dataset_dir", screen, "--split", "test", "--ckpt_path", f"{model}/model.pt"],
        ["evaluate", screen, "--split", "test", "--methods", "cip,cdl", "--out", evaluation],
    ]


def run_steps(steps: Sequence[Sequence[str]], *, say: Callable[[str], object]) -> dict[str, float]:
    """Run commands one after the other in this process, each as if it were typed.

    Args:
        steps: Words of each command after `noisylabels`.
        say: Called with each command line before it runs, and with its time after.

    Returns:
        Seconds by command.

    Raises:
        InputError: If a command ends with another exit code than 0.
    """
    from noisylabels.cli import main

    seconds = {}
    for words in steps:
        line = "noisylabels " + " ".join(words)
        say(f"$ {line}")
        start = time.perf_counter()
        try:
            main(list(words))
        except SystemExit as stop:
            if stop.code not in (0, None):
                msg = f"Every step must end well, got exit code {stop.code} of {line}. Correct it, start again."
                raise InputError(msg) from stop
        seconds[words[0]] = time.perf_counter() - start
        say(f"  {seconds[words[0]]:.0f} s")
    return seconds

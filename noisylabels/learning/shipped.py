"""Weights that come with the bundles: those of a bundle itself, and further ones in a folder of their name."""

from collections.abc import Sequence
from pathlib import Path

MODELS, WEIGHTS = "models", "model.pt"


def shipped_weights(bundle: Path) -> Path | None:
    """Return the weights that a bundle comes with; None if it has none."""
    path = bundle / MODELS / WEIGHTS
    return path if path.is_file() else None


def find_shipped(name: str, homes: Sequence[Path]) -> Path | None:
    """Find weights that come along by their name; None if there are none, or something of that name lies here.

    Args:
        name: A bundle's name, or that of a folder in the `models/` of a bundle.
        homes: Folders that hold bundles.

    Examples:
        >>> find_shipped("no-such-weights", [Path("bundles")]) is None
        True
    """
    if Path(name).name != name or Path(name).exists():
        return None
    found = [home / name / MODELS / WEIGHTS for home in homes]
    found += [
        path for home in homes for path in sorted(home.glob(f"*/{MODELS}/*/{WEIGHTS}")) if path.parent.name == name
    ]
    return next((path for path in found if path.is_file()), None)


def rule_of_models(homes: Sequence[Path]) -> str:
    """Write what a model may be, with the names of the weights that come along: the first half of a message.

    Args:
        homes: Folders that hold bundles.

    Examples:
        >>> rule_of_models([Path("nowhere")])
        'A model must be a model.pt, the folder of a training, or a bundle'
    """
    own = {path.parent.parent.name for home in homes for path in home.glob(f"*/{MODELS}/{WEIGHTS}")}
    further = {path.parent.name for home in homes for path in home.glob(f"*/{MODELS}/*/{WEIGHTS}")}
    named = "".join(f"{name}, " for name in [*sorted(own), *sorted(further - own)])
    return f"A model must be {named}a model.pt, the folder of a training, or a bundle"


def choose_weights(named: str, homes: Sequence[Path]) -> tuple[str, Path | None]:
    """Return a bundle and the weights that are meant by a word of the command line.

    Args:
        named: A bundle or its folder, a `model.pt`, the folder of a training, or weights that come along.
        homes: Folders that hold bundles.

    Returns:
        The bundle's name or folder, and the weights; None where those of the bundle are meant.
    """
    from noisylabels.learning.records import bundle_of, read_record

    path = Path(named)
    weights = path / WEIGHTS if path.is_dir() else path
    if weights.suffix == ".pt" and weights.is_file():
        return bundle_of(read_record(weights)) or "cdl", weights
    further = find_shipped(named, homes)
    if further is not None and further.parent.name == named:
        return str(further.parent.parent.parent), further
    return named, None

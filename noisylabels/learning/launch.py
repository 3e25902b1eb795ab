"""One run of a bundle: which config files, which presets, which values; and where bundles lie."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import noisylabels
from noisylabels.data.errors import InputError
from noisylabels.learning.configs import Config, merge_configs
from noisylabels.learning.lint import lint_bundle, lint_config, refuse_untrusted
from noisylabels.learning.overrides import check_overrides, parse_override
from noisylabels.learning.presets import check_preset

if TYPE_CHECKING:
    from monai.bundle import ConfigParser

NOT_PRESETS = ("train", "inference", "evaluate", "multi_gpu_train")
SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Launch:
    """One run of a bundle.

    Args:
        bundle: The bundle's folder.
        config: The public config, "train" or "inference".
        presets: Config files merged over it in order: names of the bundle's own, or paths.
        overrides: Config values by id, as text of the command line or as objects; they win over the presets.

    Examples:
        >>> Launch(Path("b"), "train", (), {"num_epochs": "3"}).command_line()
        'python -m monai.bundle run --config_file b/configs/train.yaml --bundle_root b --num_epochs 3'
    """

    bundle: Path
    config: str
    presets: tuple[str, ...]
    overrides: Mapping[str, Any]

    @property
    def config_files(self) -> list[str]:
        """The config files, the self-contained one first."""
        own = [name if name.endswith(SUFFIXES) else self._own(name) for name in self.presets]
        return [self._own(self.config), *own]

    def _own(self, name: str) -> str:
        return str(self.bundle / "configs" / f"{name}.yaml")

    def merged(self) -> Config:
        """Merge the config files, without the overrides."""
        return merge_configs(self.config_files)

    def values(self) -> dict[str, Any]:
        """Read the overrides as the command line of MONAI would: text to numbers, lists and mappings."""
        return {key: parse_override(key, value) for key, value in self.overrides.items()}

    def command_line(self) -> str:
        """Write the equal `python -m monai.bundle run` line."""
        files = self.config_files
        words = ["python", "-m", "monai.bundle", "run", "--config_file"]
        words += files if len(files) == 1 else [str(files).replace(", ", ",")]
        for key, value in {"bundle_root": self.bundle, **self.overrides}.items():
            words += [f"--{key}", str(value)]
        return shlex.join(words)


def parse(launch: Launch) -> "ConfigParser":
    """Return MONAI's parser of the merged config with its overrides; nothing is built yet."""
    from monai.bundle import ConfigParser

    parser = ConfigParser(launch.merged())
    for key, value in {"bundle_root": str(launch.bundle), **launch.values()}.items():
        parser[key] = value
    return parser


def check_launch(launch: Launch, *, trust: bool) -> Launch:
    """Return a launch as it is, if its presets and values are known and nothing in it is a stranger's code.

    Args:
        launch: What to check.
        trust: Run what is outside the allow-list too.

    Raises:
        InputError: If a preset or an override is unknown, or what a stranger wrote is outside the allow-list.
    """
    configs = launch.bundle / "configs"
    known = sorted(path.stem for path in configs.glob("*.yaml") if path.stem not in NOT_PRESETS)
    for name in launch.presets:
        if name in known or (name.endswith(SUFFIXES) and Path(name).is_file()):
            continue
        msg = (
            f"A preset of {launch.bundle.name} must be one of {', '.join(known)} or a YAML file, got {name!r}. "
            "Name one of them."
        )
        raise InputError(msg)
    if not trust:
        if launch.bundle.resolve().parent not in [home.resolve() for home in bundle_homes()]:
            refuse_untrusted(lint_bundle(launch.bundle), what=str(launch.bundle))
        for name in launch.presets:
            if name not in known:
                refuse_untrusted(lint_config(name), what=name)
    files = launch.config_files
    for place, name in enumerate(launch.presets, 1):
        if name not in known:
            check_preset(name, merge_configs(files[:place]), launch.merged())
    check_overrides(launch.merged(), launch.overrides, source=launch.config_files[0])
    return launch


def find_bundle(name: str) -> Path:
    """Find a bundle by its name (cdl, mdl) or its folder.

    Raises:
        InputError: If there is none; the message lists those that are installed. If its name is one that MONAI would
            evaluate.
    """
    if folder := look_for_bundle(name):
        return folder
    homes = bundle_homes()
    known = sorted({path.parent.parent.name for home in homes for path in home.glob("*/configs/metadata.json")})
    msg = f"A bundle must be one of {', '.join(known)} or a bundle's folder, got {name!r}. Name one of them."
    raise InputError(msg)


def look_for_bundle(name: str) -> Path | None:
    """Return the folder of a bundle by its name or its folder; None if there is none."""
    for folder in (Path(name), *(home / name for home in bundle_homes())):
        if (folder / "configs" / "metadata.json").is_file():
            if name.startswith(("$", "@", "%")):
                msg = f"The folder of a bundle must not begin with $, @ or %, got {name!r}. Rename it."
                raise InputError(msg)
            return folder
    return None


def bundle_homes() -> tuple[Path, Path]:
    """Return the folders that hold the bundles which come along: of an installation, and of a checkout."""
    room = Path(noisylabels.__file__).parent
    return room / "bundles", room.parent / "bundles"

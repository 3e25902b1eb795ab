"""Configs are code: find what a bundle would call or evaluate, and what of it deserves a reader's eye."""

import configparser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from noisylabels.data.errors import InputError
from noisylabels.learning.allowlist import INERT, READERS, TARGETS, UNSAFE_SETTINGS
from noisylabels.learning.configs import read_config
from noisylabels.learning.expressions import fault_of_expression

CONFIGS = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Finding:
    """One thing that a bundle would call or evaluate, or a file that is not judged.

    Args:
        file: Path of the file below the bundle's folder.
        id: Where it stands; empty for a whole file.
        text: The `_target_`, `$` expression, `%` macro or setting as written.
        fault: Why a reader should look at it; empty if all of it is on the allow-list.
    """

    file: str
    id: str
    text: str
    fault: str


def lint_bundle(bundle: str | Path) -> list[Finding]:
    """List what all files of a bundle would call or evaluate, without running any.

    Every `_target_`, `$` expression and `%` macro of every config, in whatever folder and spelling of its suffix, is
    compared with the allow-list, and each other file that could be run is listed as not judged.

    Args:
        bundle: The bundle's folder.

    Raises:
        FileNotFoundError: If the folder has no configs.
        InputError: If a config cannot be parsed.
    """
    root = Path(bundle)
    paths = sorted(path for path in root.rglob("*") if path.is_symlink() or not path.is_dir())
    if not any(path.parent == root / "configs" and path.suffix.lower() in CONFIGS for path in paths):
        msg = f"A bundle must have configs/*.yaml or *.json, got none in {bundle}. Name the bundle's folder."
        raise FileNotFoundError(msg)
    return [finding for path in paths for finding in _findings(path, path.relative_to(root).as_posix())]


def lint_config(path: str | Path) -> list[Finding]:
    """List what one config file would call or evaluate, as `lint_bundle` does for a whole bundle.

    Raises:
        InputError: If it cannot be parsed.
    """
    texts = list(_texts(read_config(Path(path))))
    judged = [(place, text, fault_of(place, text)) for place, text in texts]
    return [
        Finding(str(path), place, str(text), fault)
        for place, text, fault in judged
        if fault or (isinstance(text, str) and (text.startswith(("$", "%")) or _is_target(place)))
    ]


def fault_of(place: str, value: object) -> str:
    """Return why a reader should look at a value of a config; "" if everything in it is on the allow-list.

    Args:
        place: Its id; one that ends in `_target_` names a class or function.
        value: The value.

    Examples:
        >>> fault_of("loss::_target_", "GeneralizedDiceLoss"), fault_of("device", "$torch.device('cpu')")
        ('', '')
        >>> fault_of("loss::_target_", "os.system"), fault_of("run", "$os.system('ls')")
        ('target os.system', 'call of os.system')
        >>> fault_of("load::allow_pickle", True)
        'setting allow_pickle'
    """
    setting = place.replace("#", "::").rpartition("::")[2]
    if _is_target(place):
        return "" if isinstance(value, str) and value in TARGETS else f"target {value}"
    if setting in UNSAFE_SETTINGS:
        return f"setting {setting}" if value else ""
    if not isinstance(value, str):
        return ""
    if value.startswith("%"):
        return "macro that reads a file"
    if value.startswith("$"):
        return fault_of_expression(value[1:].strip())
    if setting in ("reader", "writer") and not value.startswith("@") and value not in READERS:
        return f"{setting} {value}"
    return ""


def refuse_untrusted(findings: list[Finding], *, what: str) -> None:
    """Check that nothing outside the allow-list is run.

    Args:
        findings: Of `lint_bundle` or `lint_config`.
        what: What they were found in.

    Raises:
        InputError: If there is a fault; the message gives the first.
    """
    outside = [finding for finding in findings if finding.fault]
    if not outside:
        return
    first = outside[0]
    place = f"{first.file}: {first.id}" if first.id else first.file
    msg = (
        f"{what} must name nothing outside the allow-list, got {len(outside)} such, first {first.fault} ({place}). "
        f"Read all of them (noisylabels lint-bundle), and pass --trust if you know who wrote it."
    )
    raise InputError(msg)


def _findings(path: Path, name: str) -> list[Finding]:
    suffix = path.suffix.lower()
    if path.is_symlink():
        return [Finding(name, "", str(path.readlink()), "link to another file, not judged")]
    if suffix in CONFIGS:
        return [Finding(name, found.id, found.text, found.fault) for found in lint_config(path)]
    if path.name == "logging.conf":
        return _findings_of_logging(path, name)
    if suffix in INERT and not path.stat().st_mode & 0o111:
        return []
    return [Finding(name, "", suffix, "not judged")]


def _findings_of_logging(path: Path, name: str) -> list[Finding]:
    """Judge what `logging.config.fileConfig` evaluates: classes, and arguments, which are Python."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text())
    except (configparser.Error, UnicodeDecodeError) as error:
        msg = f"{path} must be a logging configuration, got a fault: {' '.join(str(error).split())}. Correct it."
        raise InputError(msg) from error
    plain = {"class": ("StreamHandler", "logging.Formatter"), "args": ("(sys.stdout,)", "(sys.stderr,)", "()")}
    return [
        Finding(name, f"{section}::{key}", value, "" if value in plain.get(key, ()) else f"{key} {value}")
        for section in parser.sections()
        for key, value in parser.items(section)
        if key in ("class", "args", "kwargs")
    ]


def _is_target(place: str) -> bool:
    return place.endswith("_target_")


def _texts(config: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(config, dict | list):
        pairs = config.items() if isinstance(config, dict) else enumerate(config)
        for key, value in pairs:
            if _is_target(str(key)) and not isinstance(value, str):
                yield f"{prefix}{key}", value
            yield from _texts(value, f"{prefix}{key}::")
    else:
        yield prefix.removesuffix("::"), config

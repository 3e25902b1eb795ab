"""Configs are code: find what a bundle would call or evaluate, and what of it deserves a reader's eye."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noisylabels.data.errors import InputError
from noisylabels.learning.allowlist import CALLS, FUNCTIONS, HARMLESS, METHODS, MODULES, TARGETS

REFERENCE = re.compile(r"@[\w:#]+")


@dataclass(frozen=True)
class Finding:
    """One thing that a config would call or evaluate.

    Args:
        file: Name of the config file.
        id: Where it stands.
        text: The `_target_`, `$` expression or `%` macro as written.
        fault: Why a reader should look at it; empty if all of it is on the allow-list.
    """

    file: str
    id: str
    text: str
    fault: str


def lint_bundle(bundle: str | Path) -> list[Finding]:
    """List every `_target_`, `$` expression and `%` macro in the configs of a bundle, without running any.

    The allow-list is for reading, not a sandbox: it tells what is plain, so that the rest gets read.

    Args:
        bundle: The bundle's folder.

    Raises:
        FileNotFoundError: If the folder has no configs.
        InputError: If a config cannot be parsed.
    """
    folder = Path(bundle) / "configs"
    paths = sorted(path for path in folder.glob("*") if path.suffix in (".yaml", ".yml", ".json"))
    if not paths:
        msg = f"A bundle must have configs/*.yaml or *.json, got none in {bundle}. Name the bundle's folder."
        raise FileNotFoundError(msg)
    return [
        Finding(path.name, place, text, fault_of(place, text))
        for path in paths
        for place, text in _texts(_read(path))
        if text.startswith(("$", "%")) or place.endswith("_target_")
    ]


def fault_of(place: str, text: str) -> str:
    """Say why a reader should look at a text of a config; "" if everything in it is on the allow-list.

    Args:
        place: Its id; one that ends in `_target_` names a class or function.
        text: The text.

    Examples:
        >>> fault_of("loss::_target_", "GeneralizedDiceLoss"), fault_of("device", "$torch.device('cpu')")
        ('', '')
        >>> fault_of("loss::_target_", "os.system"), fault_of("run", "$os.system('ls')")
        ('target os.system', 'call of os.system')
    """
    if place.endswith("_target_") and not text.startswith("$"):
        room, _, name = text.rpartition(".")
        is_class = re.fullmatch(r"[A-Z]\w*", name) and (not room or text.startswith(TARGETS))
        return "" if is_class or text in FUNCTIONS else f"target {text}"
    if text.startswith("%"):
        return "macro that reads a file"
    return _fault_of_expression(text[1:].strip())


def _fault_of_expression(code: str) -> str:
    try:
        tree = ast.parse(REFERENCE.sub("reference", code))
    except SyntaxError:
        return "not an expression"
    for node in ast.walk(tree):
        fault = _fault_of_node(node)
        if fault:
            return fault
    return ""


def _fault_of_node(node: ast.AST) -> str:
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        unknown = [name for name in names if name not in MODULES]
        return f"import of {', '.join(unknown)}" if unknown else ""
    if isinstance(node, ast.Call):
        return "" if _is_known_call(node.func) else f"call of {ast.unparse(node.func)}"
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    if name.startswith("__"):
        return f"private name {name}"
    return "" if isinstance(node, HARMLESS) else f"{type(node).__name__.lower()} in an expression"


def _is_known_call(function: ast.expr) -> bool:
    if ast.unparse(function) in CALLS:
        return True
    if not isinstance(function, ast.Attribute) or function.attr not in METHODS:
        return False
    root: ast.expr = function.value
    while isinstance(root, ast.Attribute | ast.Subscript):
        root = root.value
    return isinstance(root, ast.Name) and root.id == "reference"


def _texts(config: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(config, str):
        yield prefix.removesuffix("::"), config
    pairs = config.items() if isinstance(config, dict) else enumerate(config) if isinstance(config, list) else ()
    for key, value in pairs:
        yield from _texts(value, f"{prefix}{key}::")


def _read(path: Path) -> Any:
    import yaml

    try:
        return json.loads(path.read_text()) if path.suffix == ".json" else yaml.safe_load(path.read_text())
    except (json.JSONDecodeError, yaml.YAMLError) as error:
        place = " ".join(str(error).split())
        msg = f"{path} must be {path.suffix[1:].upper()}, got a fault: {place}. Mend it."
        raise InputError(msg) from error

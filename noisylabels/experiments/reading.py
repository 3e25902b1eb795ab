"""Reading declarations: YAML in, a declaration out, every fault in one sentence."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from noisylabels.data.errors import InputError
from noisylabels.data.settings import build, refuse_unknown
from noisylabels.experiments.declaration import (
    FACTORS,
    LABELS,
    MAPPINGS,
    SEEDS,
    VALIDATIONS,
    WITHIN,
    Declaration,
    Method,
    noise_at,
)
from noisylabels.noise.model import NoiseModel
from noisylabels.noise.presets import PRESETS


def read_declaration(path: str | Path, *, data: Path | None = None) -> Declaration:
    """Read a declaration from YAML; nothing in it is evaluated.

    Args:
        path: The file, or the name of a shipped declaration (`tiny`, `misses`, ...).
        data: Folder of the images, which the paths of data.imported call `$data`.

    Raises:
        FileNotFoundError: If there is no such file or shipped declaration; the message lists the shipped ones.
        InputError: If it is no mapping, has an unknown key, or a level that names nothing.
    """
    import yaml

    file = find_declaration(path)
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        msg = f"{file} must be YAML, got {error}. Correct that line."
        raise InputError(msg) from error
    if not isinstance(content, dict):
        msg = f"{file} must hold a mapping, got {type(content).__name__}. Start from a shipped declaration."
        raise InputError(msg)
    declaration = declare(content, source=str(file))
    if data is not None:
        declaration = replace(declaration, data=replace(declaration.data, root=str(data)))
    if declaration.data.folder is None and declaration.splits is None:
        return declaration
    return _anchored(declaration, file.parent)


def find_declaration(path: str | Path) -> Path:
    """Find a declaration file, or a shipped one by its name.

    Raises:
        FileNotFoundError: If there is neither.
    """
    shipped = Path(__file__).parent / "declared"
    for candidate in (Path(path), shipped / f"{path}.yaml"):
        if candidate.is_file():
            return candidate
    names = ", ".join(sorted(file.stem for file in shipped.glob("*.yaml")))
    msg = f"A declaration must be a YAML file or one of {names}, got {path}. Check the path."
    raise FileNotFoundError(msg)


def declare(content: Mapping[str, Any], *, source: str = "declaration") -> Declaration:
    """Check plain data and make a declaration of it.

    Raises:
        InputError: If a key is unknown or missing, or a level names nothing; the message lists what there is.
    """
    what = f"In {source} the key"
    refuse_unknown(Declaration, {**content, "data": {}}, what=what)
    values = dict(content)
    for key in ("name", "question", "data", "grid", "methods"):
        if key not in values:
            msg = f"{source} must have the key {key}, got {', '.join(values)}. Add it."
            raise InputError(msg)
    _check_kinds(values, source)
    methods = {
        name: build(Method, settings or {}, what=f"In method {name!r} of {source} the key")
        for name, settings in values["methods"].items()
    }
    values["grid"] = _levels(values["grid"], FACTORS, {"dose": (0.0,), "n_train": (None,)}, f"grid of {source}")
    values["only"] = {
        noise: _levels(own, WITHIN, {}, f"own levels of {noise!r} in {source}", whole=False)
        for noise, own in values.get("only", {}).items()
    }
    values["seeds"] = _levels(values.get("seeds", {}), SEEDS, dict.fromkeys(SEEDS, (0,)), f"seeds of {source}")
    values["noise"] = dict(values.get("noise", {}))
    declaration = replace(build(Declaration, {**values, "methods": {}}, what=what), methods=methods)
    _check(declaration, source)
    return declaration


def _check_kinds(values: Mapping[str, Any], source: str) -> None:
    mappings = {key: values[key] for key in MAPPINGS if key in values}
    own = mappings["only"] if isinstance(mappings.get("only"), Mapping) else {}
    mappings |= {f"only of {noise!r}": levels for noise, levels in own.items()}
    for key, value in mappings.items():
        if not isinstance(value, Mapping):
            msg = f"{key} of {source} must be a mapping, got {value!r}. Look at a shipped declaration."
            raise InputError(msg)
    hours = values.get("max_hours", 1)
    if not (isinstance(hours, (int, float)) and hours > 0):
        msg = f"max_hours of {source} must be above 0, got {hours!r}. Give hours of compute."
        raise InputError(msg)


def _check(declaration: Declaration, source: str) -> None:
    own = [level for levels in declaration.only.values() for level in levels.get("method", ())]
    _check_levels("noise", declaration.grid["noise"], declaration.noise, source)
    _check_levels("method", (*declaration.grid["method"], *own), declaration.methods, source)
    for name in declaration.only:
        if name not in declaration.grid["noise"]:
            names = ", ".join(declaration.grid["noise"])
            msg = f"only of {source} must name noises of its grid ({names}), got {name!r}. Add it there, or remove it."
            raise InputError(msg)
    if declaration.validation not in VALIDATIONS:
        got = repr(declaration.validation)
        msg = f"validation of {source} must be one of {', '.join(VALIDATIONS)}, got {got}. Name one of them."
        raise InputError(msg)
    if declaration.equal_steps and any(method.use == "mix" for method in declaration.methods.values()):
        msg = f"A method of {source} must not have use: mix with equal_steps, its epochs are longer. Drop one."
        raise InputError(msg)
    for name, recipe in declaration.noise.items():
        for dose in declaration.levels_of(name)["dose"]:
            _try_noise(name, noise_at(recipe, dose), source)


def _check_levels(factor: str, levels: Iterable[Any], known: Iterable[str], source: str) -> None:
    for level in levels:
        if level not in known:
            names = ", ".join(sorted(known))
            msg = f"A {factor} in the grid of {source} must be one of {names}, got {level!r}. Declare it first."
            raise InputError(msg)


def _try_noise(name: str, recipe: Any, source: str) -> None:
    if isinstance(recipe, str):
        if not recipe.startswith(LABELS) and recipe not in PRESETS and not Path(recipe).is_file():
            known = f"a model, labels:NAME, a file or one of {', '.join(PRESETS)}"
            msg = f"Noise {name!r} of {source} must be {known}, got {recipe!r}. Correct it."
            raise InputError(msg)
        return
    try:
        NoiseModel.from_dict(recipe)
    except (InputError, TypeError) as error:
        msg = f"Noise {name!r} of {source}: {error}"
        raise InputError(msg) from error


def _levels(
    content: Mapping[str, Any],
    known: tuple[str, ...],
    defaults: Mapping[str, tuple[Any, ...]],
    source: str,
    *,
    whole: bool = True,
) -> dict[str, tuple[Any, ...]]:
    unknown = [key for key in content if key not in known]
    if unknown:
        msg = f"Factors in the {source} must be among {', '.join(known)}, got {unknown[0]!r}. Remove or rename it."
        raise InputError(msg)
    single = [key for key, values in content.items() if not isinstance(values, (list, tuple))]
    if single:
        got = content[single[0]]
        msg = f"Levels in the {source} must be lists, got {got!r} for {single[0]}. Put it into brackets: [{got}]."
        raise InputError(msg)
    names = known if whole else tuple(content)
    levels = {key: tuple(content[key]) if key in content else defaults.get(key, ()) for key in names}
    empty = [key for key, values in levels.items() if not values]
    if empty:
        msg = (
            f"Every factor in the {source} must have a level, got none for {empty[0]}. A grid of 0 runs shows nothing."
        )
        raise InputError(msg)
    return levels


def _anchored(declaration: Declaration, folder: Path) -> Declaration:
    data, splits = declaration.data, declaration.splits
    if data.folder is not None:
        data = replace(data, folder=str((folder / data.folder).resolve()))
    return replace(declaration, data=data, splits=splits and str((folder / splits).resolve()))

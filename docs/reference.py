"""The reference page, made from the code: every command, preset and file format, so that it cannot grow stale.

python -m docs.reference docs/reference.md
"""

import importlib
import importlib.util
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import groupby
from pathlib import Path
from typing import Any

from noisylabels.cli import COMMANDS, find_app
from noisylabels.data.atomic import write_text
from noisylabels.data.settings import schema_of
from noisylabels.noise.kinds import KINDS

BUNDLES = ("cdl", "mdl")

FORMATS: dict[str, tuple[tuple[str, str], ...]] = {
    "dataset folder": (
        ("`images/<id>.ome.tif`", "noisylabels.data.images.write_image"),
        ("`labels/<name>/<id>.tif`", "noisylabels.data.images.write_label_map"),
        ("`dataset.json`, `datalist.json`", "noisylabels.data.dataset.write_dataset"),
        ("`labels/<name>/errors.parquet` of `corrupt`", "noisylabels.noise.log.write_log"),
        ("table of groups for `import --groups`", "noisylabels.importing.folder.read_groups"),
    ),
    "plate": (
        ("`<plate>.ome.zarr`", "noisylabels.plates.omezarr_writer.write_plate"),
        ("`<field>/labels/<method>_<hash>`", "noisylabels.plates.omezarr_labels.write_labels"),
        ("treatment layout (CSV)", "noisylabels.screening.layout.read_layout"),
    ),
    "run of a training": (
        ("`model.pt`", "noisylabels.learning.checkpoint_handlers.BestModelSaver"),
        ("`last.pt`", "noisylabels.learning.resume.ExactResume"),
        ("`metrics.json`", "noisylabels.learning.report.EpochReport"),
    ),
    "run of a screen": (
        ("`fields/`, `run.json`", "noisylabels.screening.store.Store"),
        ("`measurements/`", "noisylabels.screening.measurements.measure_screen"),
    ),
    "evaluation folder": (
        ("`counts`, `events`, `settings.json`, `evaluation.json`", "evaluation.folders.write_evaluation"),
        ("`report.html`, `tables/`, `figures/`", "evaluation.folders.write_evaluation_report"),
        ("ratings (CSV)", "evaluation.experts.ratings.read_ratings"),
        ("boxes (CSV)", "evaluation.experts.box_files.read_csv_boxes"),
        ("boxes (COCO JSON)", "evaluation.experts.box_files.read_coco_boxes"),
        ("boxes (Pascal VOC)", "evaluation.experts.box_files.read_voc_boxes"),
        ("costs (CSV)", "evaluation.experts.costs.read_costs"),
        ("control wells (CSV)", "evaluation.screens.plates.read_controls"),
    ),
    "annotation project": (
        ("`<name>.desk`", "noisylabels.annotation.project.Project"),
        ("dataset folder of corrections", "noisylabels.annotation.export.export_dataset"),
        ("`audit.csv`", "noisylabels.annotation.tables.export_audit"),
        ("`times.csv`", "noisylabels.annotation.tables.export_times"),
        ("`costs.csv`", "noisylabels.annotation.tables.export_costs"),
        ("`boxes.csv`", "noisylabels.annotation.tables.export_boxes"),
        ("scores of fields (CSV)", "noisylabels.annotation.scores.read_scores"),
    ),
    "label noise": (
        ("noise model (YAML)", "noisylabels.noise.model.NoiseModel.from_dict"),
        ("`profile.json`", "noisylabels.noise.calibration.profile.Profile"),
    ),
    "experiment": (
        ("declaration (YAML)", "noisylabels.experiments.reading.read_declaration"),
        ("`tables/`", "noisylabels.experiments.collection.collect"),
    ),
}
"""Folder that rooms hand each other -> its files, each with what writes or reads it and describes it."""

SETTINGS = {
    "CIP": "noisylabels.cip.settings.CipSettings",
    "Simulator": "noisylabels.simulation.settings.SimulationSettings",
    "Evaluation": "evaluation.metrics.settings.EvaluationSettings",
    "Declaration of an experiment": "noisylabels.experiments.declaration.Declaration",
    "Method of a declaration": "noisylabels.experiments.declaration.Method",
    "Dose of an error kind": "noisylabels.noise.dose.Dose",
    "Study": "noisylabels.experiments.paper.settings.StudySettings",
}
"""What people set -> the class that checks it."""

HEAD = """# Reference

For looking up a command, an option, a setting, a preset or a file format.

Made by `python -m docs.reference docs/reference.md` from the code; a test holds the page to it. Do not edit it.
"""


def write_reference() -> str:
    """Write the page: commands with their options, presets, file formats.

    Returns:
        Markdown.

    Raises:
        AttributeError: If something that the page names is no longer where it says.

    Examples:
        >>> page = write_reference()
        >>> "### noisylabels corrupt" in page, "- `paper`: " in page, "`datalist.json`" in page
        (True, True, True)
    """
    return "\n".join([HEAD, *_commands(), *_presets(), *_formats(), *_schemas()]) + "\n"


def _schemas() -> Iterator[str]:
    """Name every setting of a file that people write, by its JSON schema."""
    yield "## Settings\n"
    yield "`noisylabels.data.settings.schema_of` gives the JSON schema of each, for editors that check what is typed;"
    yield "`noisylabels.noise.kinds.schema_of_kinds` that of a noise model. Defaults in brackets, a line for a part.\n"
    for title, place in SETTINGS.items():
        yield f"### {title}\n"
        yield f"`{place}`\n"
        for part, found in groupby(_settings(schema_of(_find(place))), lambda row: row[0]):
            yield from _group(part, [row[1:] for row in found])
        yield ""
    yield "### Error kinds\n"
    yield "`noisylabels.noise.kinds`; beside the dose of each:\n"
    for name, kind in KINDS.items():
        if len(fields(kind)) > 1:
            yield from _group(name, [row[1:] for row in _settings(schema_of(kind))])


def _group(place: str, rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """Write the settings of one place of a file: a line for all, but a line for each at the top."""
    # A number by default is a number: its type need not be said.
    said = [
        f"`{name}`{f' ({default})' if default else ''}{f': {kind}' if ' or ' in kind or not default else ''}"
        for name, kind, default in rows
    ]
    if place:
        yield f"- `{place}`: {'; '.join(said)}"
    else:
        yield from (f"- {one}" for one in said)


def _settings(
    schema: Mapping[str, Any], defined: Mapping[str, Any] | None = None, place: str = ""
) -> Iterator[tuple[str, str, str, str]]:
    """Give each setting: where in the file it stands, its name, its kind and its default."""
    defined = schema.get("$defs", {}) if defined is None else defined
    parts: dict[str, list[str]] = {}  # names of those that have the same settings
    for name, entry in schema.get("properties", {}).items():
        parts.setdefault(entry.get("$ref", name), []).append(name)
    for names in parts.values():
        name, entry = names[0], schema["properties"][names[0]]
        if place == "" and name == "dose":
            continue  # written side by side with the kind's own, and told once
        inner = defined.get(entry.get("$ref", "").rpartition("/")[2])
        if inner is not None and "properties" in inner:
            yield from _settings(inner, defined, ".".join(filter(None, [place, "|".join(names)])))
        else:
            default = json.dumps(entry["default"]) if "default" in entry else ""
            yield place, name, _kind(entry), f"`{default}`" if default else ""


def _kind(entry: Mapping[str, Any]) -> str:
    if "enum" in entry or "const" in entry:
        return " or ".join(f"`{word}`" for word in entry.get("enum", [entry.get("const")]))
    kinds = [_kind(one) for one in entry.get("anyOf", ())] or [str(entry.get("type", "any"))]
    return " or ".join(kinds)


def _commands() -> Iterator[str]:
    yield "## Commands\n"
    yield ", ".join(f"[`{name}`](#noisylabels-{name})" for name in COMMANDS) + ".\n"
    for name in COMMANDS:
        for words, command in _walk(name, _command(name)):
            yield f"### noisylabels {words}\n"
            yield f"{_first_paragraph(command.help)}\n"
            yield from _listed(_parameters(command))


def _command(name: str) -> Any:
    from typer.main import get_command

    return get_command(find_app(name)).commands[name]  # type: ignore[attr-defined]


def _walk(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield words, command
    for name, below in getattr(command, "commands", {}).items():
        yield from _walk(f"{words} {name}", below)


def _parameters(command: Any) -> list[tuple[str, str, str]]:
    rows = []
    for parameter in command.params:
        if parameter.name == "help":
            continue
        is_option = parameter.param_type_name == "option"
        name = ", ".join(f"`{word}`" for word in parameter.opts) if is_option else f"`{parameter.name.upper()}`"
        default = "needed" if parameter.required else _say(parameter.default)
        rows.append((name, default, getattr(parameter, "help", None) or ""))
    return rows


def _say(default: Any) -> str:
    if default is None or default in ("", [], ()) or callable(default):
        return ""
    if isinstance(default, bool):
        return "on" if default else "off"
    words = map(str, default) if isinstance(default, tuple | list) else [str(getattr(default, "value", default))]
    return f"`{' '.join(words)}`"


def _presets() -> Iterator[str]:
    from noisylabels import simulation
    from noisylabels.cip.labelling import PIPELINES
    from noisylabels.experiments.reading import read_declaration
    from noisylabels.noise.presets import PRESETS

    yield "## Presets\n"
    told: list[tuple[str, str, str]] = []
    for name in BUNDLES:
        rows = list(_bundle_presets(name))
        alike = [row[0] for row in rows if row in told]
        same = f" {', '.join(alike)} are those of the first." if alike else ""
        yield f"Of the bundle `{name}`: `noisylabels train {name} --preset NAME`.{same}\n"
        yield from _listed([(row[0], "", f"{row[1]} {row[2]}") for row in rows if row not in told])
        told += rows
    yield "Noise, for `noisylabels corrupt --noise NAME`: " + ", ".join(f"`{name}`" for name in PRESETS) + ".\n"
    yield "Pipelines, for `noisylabels cip --preset NAME`: " + ", ".join(f"`{name}`" for name in PIPELINES) + ".\n"
    simulated = ", ".join(f"`{name}`" for name in simulation.PRESETS)
    yield f"Simulation, for `noisylabels simulate --preset NAME`: {simulated}.\n"
    declared = sorted((Path(__file__).parent / "declared").glob("*.yaml"))
    questions = [(f"`{path.stem}`", read_declaration(path).question) for path in declared]
    yield "Declared experiments, for `noisylabels experiment run NAME`.\n"
    yield from _listed([(name, "", question) for name, question in questions])


def _bundle_presets(name: str) -> Iterator[tuple[str, str, str]]:
    import yaml

    from noisylabels.learning.launch import NOT_PRESETS, find_bundle

    for path in sorted((find_bundle(name) / "configs").glob("*.yaml")):
        if path.stem not in NOT_PRESETS:
            first = path.read_text().splitlines()[0]
            line = first.removeprefix("# ").removeprefix("Preset: ")
            yield f"`{path.stem}`", line, str(yaml.safe_load(path.read_text()).get("_desc_", ""))


def _formats() -> Iterator[str]:
    yield "## File formats\n"
    yield "Rooms hand each other folders. Each file is described in full by the function or class that is named.\n"
    for folder, files in FORMATS.items():
        yield f"### {folder[0].upper()}{folder[1:]}\n"
        yield from _listed([(file, f"`{target}`", _first_paragraph(_find(target).__doc__)) for file, target in files])


def _find(target: str) -> Any:
    parts = target.split(".")
    depth = next(n for n in range(len(parts), 0, -1) if _is_module(".".join(parts[:n])))
    found: Any = importlib.import_module(".".join(parts[:depth]))
    for part in parts[depth:]:
        found = getattr(found, part)
    return found


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _first_paragraph(text: str | None) -> str:
    lines = (text or "").strip().split("\n\n")[0].splitlines()
    return " ".join(line.strip() for line in lines)


def _listed(rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """List names, each with what stands in brackets behind it and what is said of it."""
    for name, aside, words in rows:
        yield f"- {name}{f' ({aside})' if aside else ''}{f': {words}' if words.strip() else ''}"
    if rows:
        yield ""


if __name__ == "__main__":
    write_text(Path(sys.argv[1]), write_reference())

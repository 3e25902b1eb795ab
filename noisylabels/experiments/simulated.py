"""Simulated fields for an experiment, with the labels of the CIP that the declaration trains on."""

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from noisylabels import simulation
from noisylabels.cip import family, labelling
from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.quarters import cut_dataset
from noisylabels.experiments.shared_folder import building_once
from noisylabels.noise.fusing import Vote, fuse_dataset

CIP, CONSENSUS = "cip", "consensus"
"""Label sets: the CIP as published, and what `VOTES` of `N_MEMBERS` runs of it over a range of thresholds agree on."""

N_MEMBERS, VOTES = 7, 6
PUBLISHED = "lcsb-rosella-lc3-2017"

DEFAULTS: Mapping[str, Any] = {
    "fields": 24,
    "plates": 1,
    "rows": 512,
    "columns": 680,
    "quarters": True,
    "preset": "rosella-lc3",
    "seed": 0,
    "split": (0.6, 0.1, 0.3),
}


def write_simulated(folder: Path, settings: Mapping[str, object], *, labels: Collection[str] = ()) -> Dataset:
    """Simulate fields into a dataset folder, label them whole as asked, and cut them in quarters.

    The CIP's scale is the brightest pixel of a frame, so it sees the whole fields that it was made for: with quarters
    those stay in the folder `whole` beside the dataset.

    Args:
        folder: The dataset folder.
        settings: fields (before they are cut), plates (above 1 they differ as days do, and the split cuts none), rows
            and columns of a field, quarters (whether fields are cut), preset, seed, split (three shares); `DEFAULTS`
            for what is left out.
        labels: Label sets to write: `cip`, `consensus`.

    Raises:
        InputError: If a setting is unknown, or there are fewer fields than plates.
    """
    unknown = [key for key in settings if key not in DEFAULTS]
    if unknown:
        msg = f"Settings of data.simulate must be among {', '.join(DEFAULTS)}, got {unknown[0]!r}. Remove or rename it."
        raise InputError(msg)
    chosen = {**DEFAULTS, **settings}
    if not chosen["quarters"]:
        return _write_labelled(folder, chosen, labels)
    whole = _write_labelled(folder.with_name("whole"), chosen, labels)
    with building_once(folder) as part:
        cut_dataset(whole, part)
    return open_dataset(folder)


def _write_labelled(folder: Path, chosen: Mapping[str, Any], labels: Collection[str]) -> Dataset:
    frame = {"frame": {"rows": chosen["rows"], "columns": chosen["columns"]}}
    screen = simulation.preset(chosen["preset"]).replaced(frame)
    layout = simulation.lay_out("untreated", screen.plate)
    n_plates, amount = chosen["plates"], {"n_fields": chosen["fields"], "seed": chosen["seed"]}
    if n_plates > 1:
        plan = simulation.plan_plates(layout, n_plates=n_plates, **amount)
    else:
        plan = simulation.plan_fields(layout, **amount)
    training, validation, test = chosen["split"]
    shares = (training, validation, test)
    simulation.simulate_dataset(folder, screen, plan, seed=chosen["seed"], fractions=shares, varied=n_plates > 1)
    if CIP in labels:
        label_with_cip(folder)
    if CONSENSUS in labels:
        label_with_consensus(folder)
    return open_dataset(folder)


def label_with_cip(folder: Path, *, name: str = CIP, preset: str = PUBLISHED, workers: int = 1) -> int:
    """Label every field of a dataset folder with a conventional pipeline; fields that are labelled already are kept.

    Args:
        folder: The dataset folder.
        name: The label set to write.
        preset: The original CIP, or another pipeline of `noisylabels cip`.
        workers: Number of processes.

    Returns:
        The number of fields labelled now; 0 if all were there.

    Raises:
        InputError: If a field cannot be labelled.
    """
    labeller, tasks, _ = labelling.plan_dataset(folder, labelling.load_pipeline(preset), name=name)
    labelling.prepare_label_set(tasks, labeller)
    waiting = sum(not task.target.exists() for task in tasks)
    failures = [
        outcome.failure for _, outcome in labelling.label_files(tasks, labeller, workers=workers) if outcome.failure
    ]
    if failures:
        raise InputError(failures[0])
    return waiting


def label_with_consensus(folder: Path) -> None:
    """Label every field of a dataset folder with what most runs of the CIP agree on; what is there already is kept.

    The runs are those of `noisylabels cip --perturb 7`, label sets `cip-1` to `cip-7`: thresholds from half to four
    times the published ones.

    Args:
        folder: The dataset folder; its label set `consensus` is written.

    Raises:
        InputError: If a field cannot be labelled.
    """
    members = family.spread(labelling.load_pipeline(PUBLISHED), family.DEFAULT_RANGES, n=N_MEMBERS)
    plans = family.plan_family(folder, members, name=CIP)
    for labeller, tasks in plans.values():
        labelling.prepare_label_set(tasks, labeller)
    failures = [outcome.failure for _, outcome in family.label_family([*plans.values()]) if outcome.failure]
    if failures:
        raise InputError(failures[0])
    dataset = open_dataset(folder)
    if not all(dataset.label_path(CONSENSUS, case.id).is_file() for case in dataset.cases):
        shutil.rmtree(folder / "labels" / CONSENSUS, ignore_errors=True)
        fuse_dataset(dataset, [*plans], Vote("at-least", votes=VOTES), name=CONSENSUS)

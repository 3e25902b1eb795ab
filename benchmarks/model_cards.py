"""Put trained weights into the bundles, with their records, measured scores and model cards.

    python -m benchmarks.weights card WORK

Called by `benchmarks.weights` when all is trained and scored.
"""

import json
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from evaluation.folders import read_evaluation
from evaluation.metrics.scores import Metric, event_f1
from evaluation.report.assembly import compare_all
from evaluation.report.tables import text_of
from evaluation.statistics.comparison import Comparison
from noisylabels.data.atomic import write_text
from noisylabels.data.event_files import EVENT_FILE, read_event_file
from noisylabels.data.images import write_image
from noisylabels.experiments.demo import run_steps
from noisylabels.learning.records import read_record

BUNDLES = Path(__file__).parents[1] / "bundles"
EMPTY_SHAPE = (1, 520, 696)
TOLD = "trained weights come along"
MOST_BYTES = 4_000_000
BEGIN, END = "<!-- scores: written by benchmarks.weights -->", "<!-- end of scores -->"
ENGINES = {"torchscript": "torch", "onnx": "onnxruntime", "openvino": "openvino", "bioimageio": "bioimageio.core"}


@dataclass(frozen=True)
class Weights:
    """Weights that come along.

    Attributes:
        name: Of the training and its evaluation in the work folder.
        place: Where they go, below the bundles.
        against: What their scores were measured on, in words.
        data: Where the images and labels come from, and their licence.
        not_for: What they must not be used for.
    """

    name: str
    place: str
    against: str
    data: str
    not_for: str


SIMULATED = (
    "Simulated Rosella-LC3 fields of 6 plates that differ (`noisylabels simulate --plates 6`, seed 7), cut in "
    "quarters: no third-party data, Apache-2.0 as the program."
)
NO_ROSELLA = (
    "Real images of a laboratory, before somebody has scored it on some of them: it has seen simulated optics and one "
    "reporter only. Never for diagnosis or any clinical decision."
)
ALL = (
    Weights("cdl", "cdl/models", "quarters of two simulated plates that no training saw, against the simulator's truth",
            f"{SIMULATED} Labels are those of the conventional pipeline `rosella-lc3-mended`, errors included.",
            NO_ROSELLA),
    Weights("mdl", "mdl/models", "quarters of two simulated plates that no training saw, against the simulator's truth",
            f"{SIMULATED} It begins with the weights of `cdl` and learns from 16 quarters with the right labels.",
            NO_ROSELLA),
    Weights("nuclei", "mdl/models/nuclei", "fields of wells that no training saw, against curated masks",
            "BBBC039v1 (U2OS cells, Hoechst, 20x; Caicedo et al., Cytometry A 95, 2019), CC0 1.0, masks curated by "
            "biologists; training fields at full and at half scale.",
            "Nuclei that touch, where each must be counted: it tells nucleus from background, not nuclei apart. "
            "Tissue, brightfield, other magnifications, before it was scored on some. Never for clinical decisions."),
)  # fmt: skip


def write_cards(work: Path) -> None:
    """Put all weights that a work folder holds scored into the bundles: file, record, card, and what metadata tell."""
    for weights in ALL:
        if not (work / f"evaluation_{weights.name}/report.html").is_file():
            print(f"{weights.name}: left out, for it is not scored yet")
            continue
        folder = BUNDLES / weights.place
        folder.mkdir(parents=True, exist_ok=True)
        _copy(work / weights.name, folder)
        scores = _read_scores(work / f"evaluation_{weights.name}")
        if weights.name == weights.place.split("/")[0]:
            _write_metadata(BUNDLES / weights.name / "configs/metadata.json", scores.estimates, _run_elsewhere(folder))
            page = BUNDLES / weights.name / "docs/README.md"
            write_text(page, _put_between(page.read_text(), _card(weights, scores)))
        else:
            card = f"{_card(weights, scores)}\n\n{_wrap(_tell_specks(folder))}"
            write_text(folder / "README.md", f"# Weights `{weights.name}`\n\n{card}\n")


@dataclass(frozen=True)
class _Scores:
    table: str
    verdict: str
    estimates: dict[str, float]
    counted: str


def _copy(run: Path, folder: Path) -> None:
    size = (run / "model.pt").stat().st_size
    if size > MOST_BYTES:
        msg = f"{run / 'model.pt'} must have at most {MOST_BYTES} bytes to come along, got {size}."
        raise SystemExit(msg)
    shutil.copyfile(run / "model.pt", folder / "model.pt")
    record = json.loads((run / "run.json").read_text())
    record["command"] = record["command"].replace(str(BUNDLES.parent) + "/", "")
    write_text(folder / "run.json", json.dumps(record, indent=1) + "\n")


def _read_scores(folder: Path) -> _Scores:
    evaluation = read_evaluation(folder)
    table = evaluation.study.table
    compared = compare_all(table, n_resamples=evaluation.n_resamples, seed=evaluation.seed, primary="MeanIoU")
    wanted = ["MeanIoU", *(f"IoU: {one}" for one in table.classes.foreground)]
    wanted += [event_f1(table.classes, one, iou=0.5).title for one in table.classes.foreground]
    metrics = [metric for metric in compared.metrics if metric.title in wanted]
    rows = [f"| score | {' | '.join(compared.methods)} |", "|---" * (1 + len(compared.methods)) + "|"]
    for metric in metrics:
        cells = [text_of(compared.interval(method, metric)) for method in compared.methods]
        rows.append(f"| {metric.title} | {' | '.join(cells)} |")
    estimates = {metric.title: round(compared.interval(compared.methods[-1], metric).estimate, 4) for metric in metrics}
    n_fields = len(set(compared.fields.tolist()))
    return _Scores("\n".join(rows), _verdict(compared, metrics[0]), estimates,
                   f"{n_fields} fields of {compared.n_clusters} wells")  # fmt: skip


def _verdict(compared: Comparison, metric: Metric) -> str:
    first, last = compared.methods[0], compared.methods[-1]
    difference = compared.difference(last, first, metric)
    shown = "shown to differ" if difference.decides() else "not shown to differ"
    return f"{metric.title}, {last} less {first}: {text_of(difference.absolute, style='signed')}; {shown}."


def _run_elsewhere(folder: Path) -> dict[str, str]:
    """Export weights for every engine: each is compared with the network, and named only if its label maps agree."""
    from noisylabels.learning.exports import export_model
    from noisylabels.learning.formats import ENDINGS
    from noisylabels.learning.models import load_model

    model = load_model(folder)
    with TemporaryDirectory() as place:
        for to, ending in ENDINGS.items():
            export_model(model, Path(place) / f"model{ending}", to=to)
    return {package: version(package).split("+")[0] for package in ENGINES.values()}


def _write_metadata(path: Path, scores: dict[str, float], engines: dict[str, str]) -> None:
    about = json.loads(path.read_text())
    changes = about["changelog"].get(about["version"], "")
    if TOLD not in changes:
        about["changelog"][about["version"]] = f"{changes}; {TOLD}" if changes else TOLD
    about["eval_metrics"], about["supported_apps"] = scores, engines
    write_text(path, json.dumps(about, indent=4, ensure_ascii=False) + "\n")


def _put_between(page: str, told: str) -> str:
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{told}\n{END}{rest.split(END)[1]}"


def _card(weights: Weights, scores: _Scores) -> str:
    size = (BUNDLES / weights.place / "model.pt").stat().st_size / 1e6
    parts = [
        f"Weights come along ({size:.1f} MB): `noisylabels predict {weights.name} FOLDER` uses them on any folder of "
        "images. `python -m benchmarks.weights` makes and scores them.",
        f"**Data and licence.** {weights.data} The weights: Apache-2.0.",
        f"**Scores**, on {scores.counted}: {weights.against}. In brackets 95 % intervals over wells (jackknife). "
        f"{scores.verdict}",
        scores.table,
        f"**Not for.** {weights.not_for}",
    ]
    return "\n\n".join(part if part.startswith("|") else _wrap(part) for part in parts)


def _tell_specks(folder: Path) -> str:
    """Count what the weights see where nothing is: in noise alone, and in an image of one value."""
    minimum = read_record(folder / "model.pt").min_event_px
    noise = np.random.default_rng(0).poisson(100, EMPTY_SHAPE).astype(np.uint16)
    found = {}
    with TemporaryDirectory() as place:
        for name, image in {"noise": noise, "even": np.full(EMPTY_SHAPE, 100, np.uint16)}.items():
            write_image(Path(place) / name / f"{name}.tif", image)
            for least in (0, minimum):
                out = Path(place) / f"{name}-{least}"
                words = ["--output_dir", str(out), "--min_event_px", str(least)]
                run_steps([["predict", str(folder), str(Path(place) / name), *words]], say=print)
                tables = read_event_file(out / EVENT_FILE)
                found[name, least] = tables[name]["area_px"] if name in tables else np.array([], int)
    size = " x ".join(map(str, EMPTY_SHAPE[1:]))
    specks, left, even = found["noise", 0], found["noise", minimum], found["even", minimum]
    return (
        f"**Empty fields.** In noise alone (Poisson, 100 counts, {size} pixels) the network sees {len(specks)} specks, "
        f"the largest of {specks.max(initial=0)} px; `predict` drops events under {minimum} px (`--min_event_px`), "
        f"and {len(left)} are left. In an image of one value it sees {len(even)} of that size, the largest of "
        f"{even.max(initial=0)} px."
    )


def _wrap(text: str) -> str:
    from textwrap import fill

    return fill(text, 118, break_long_words=False, break_on_hyphens=False)

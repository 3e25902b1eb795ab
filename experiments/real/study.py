"""The study on real images: steps per seed, then one report over all seeds."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from evaluation.report.assembly import write_report
from evaluation.report.markdown import write_markdown
from experiments.paper.steps import Step, claim_folder, do_step, read_step
from experiments.real import annotators, nuclei
from experiments.real.page import report_annotators, report_nuclei
from experiments.real.settings import SETTINGS, RealSettings
from noisylabels.errors import InputError

PARTS: Mapping[str, ModuleType] = {"nuclei": nuclei, "annotators": annotators}


def run_real_study(
    name: str,
    data: Path,
    folder: Path,
    *,
    seeds: Sequence[int],
    settings: RealSettings | None = None,
    say: Callable[[str], object] = lambda _: None,
) -> Path:
    """Do every step that is not done yet, and write the report; start it again after a kill and it goes on.

    Args:
        name: "nuclei" or "annotators".
        data: Folder of the images and label maps.
        folder: Where everything goes; one folder per seed.
        seeds: Of splits and weights.
        settings: How large; the part's own when None.
        say: Called with one line per step done.

    Returns:
        The path of report.html; README.md with the same content lies in `page/`.

    Raises:
        InputError: If there is no such study, the data are not there, or the folder holds another study.
    """
    if name not in PARTS:
        msg = f"A study on real images must be one of {', '.join(PARTS)}, got {name!r}. Name one of them."
        raise InputError(msg)
    if not (data / "images").is_dir():
        msg = f"{data} must hold images/ and labels, got no such folder. Name the folder of the data set."
        raise InputError(msg)
    chosen = settings or SETTINGS[name]
    claim_folder(folder, chosen.to_dict(), preset=name)
    for seed in seeds:
        for step in _steps(name, data, folder, chosen, seed):
            do_step(folder / f"seed-{seed}", step, say=say)
    results = {
        seed: {
            step.name: read_step(folder / f"seed-{seed}", step.name)
            for step in _steps(name, data, folder, chosen, seed)
        }
        for seed in seeds
    }
    report = (report_nuclei if name == "nuclei" else report_annotators)(results, chosen)
    command = f"noisylabels real-study {name} DATA --seeds {','.join(map(str, seeds))} --out OUT"
    write_markdown(report, folder / "page", commands=[command])
    return write_report(report, folder)


def _steps(name: str, data: Path, folder: Path, settings: RealSettings, seed: int) -> list[Step]:
    steps: list[Step] = PARTS[name].list_steps(data, folder / f"seed-{seed}", settings, seed=seed)
    return steps

"""The study on real images: steps that all seeds share, steps per seed, then one report over all seeds."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from evaluation.report.assembly import write_report
from evaluation.report.markdown import write_markdown
from noisylabels.data.errors import InputError
from noisylabels.experiments.paper.steps import Step, claim_study, do_step
from noisylabels.experiments.real import annotators, annotators_page, nuclei, nuclei_page
from noisylabels.experiments.real.scores import TOLERANCE_PX
from noisylabels.experiments.real.settings import SETTINGS, RealSettings

PARTS: Mapping[str, tuple[ModuleType, ModuleType]] = {
    "nuclei": (nuclei, nuclei_page),
    "annotators": (annotators, annotators_page),
}
"""Steps and page by name of the study."""


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
        folder: Where everything goes: `shared/`, one folder per seed, `report.html` and `page/`.
        seeds: Of weights, and of what else is drawn: curated images, or the split of few images.
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
    part, page = PARTS[name]
    # How it is scored is part of what a folder holds: counts made otherwise must not be added to these.
    claim_study(folder, {**chosen.to_dict(), "tolerance_px": TOLERANCE_PX}, preset=name)
    steps: dict[str, list[Step]] = part.list_steps(data, folder, chosen, seeds=seeds)
    results = {home: {step.name: do_step(folder / home, step, say=say) for step in steps[home]} for home in steps}
    report = page.make_report(folder, results, chosen)
    command = f"noisylabels real-study {name} DATA --seeds {','.join(map(str, seeds))} --out OUT"
    write_markdown(report, folder / "page", commands=[command])
    return write_report(report, folder)

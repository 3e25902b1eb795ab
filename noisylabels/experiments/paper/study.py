"""The study: one screen per seed, step by step; then all screens together, and the page."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.experiments.paper import experts, networks
from noisylabels.experiments.paper.costs import describe_machine
from noisylabels.experiments.paper.evaluation import Counted, count_screen, join_screens
from noisylabels.experiments.paper.quarters import cut_fields, cut_label_set
from noisylabels.experiments.paper.screen import CIP, TRUTH, simulate_screen
from noisylabels.experiments.paper.settings import StudySettings
from noisylabels.experiments.paper.steps import Step, claim_study, do_step, read_step
from noisylabels.experiments.simulated import label_with_cip

Say = Callable[[str], object]


def run_study(folder: Path, settings: StudySettings, *, preset: str, seeds: Sequence[int], say: Say) -> None:
    """Run every step of every screen that is not done yet; start it again after a kill and it goes on.

    Args:
        folder: Where everything goes; one folder per seed.
        settings: How large.
        preset: Name of the settings, for the record.
        seeds: One screen each.
        say: Called with one line per step done.

    Raises:
        InputError: If the folder holds a study of other settings.
    """
    claim_study(folder, settings.to_dict(), preset=preset)
    for seed in seeds:
        home = screen_folder(folder, seed)
        for step in list_steps(home, settings, seed=seed):
            do_step(home, step, say=say)


def screen_folder(folder: Path, seed: int) -> Path:
    """Return where the screen of a seed lies."""
    return folder / f"seed-{seed}"


def list_methods(settings: StudySettings) -> list[str]:
    """List the label sets that are compared with each other: methods, then epochs, sizes and known doses.

    Examples:
        >>> list_methods(StudySettings(looks=(1, 2), sizes=(20,), doses=(0.5,)))
        ['cip', 'cdl', 'mdl', 'mdl-finetuned', 'cdl-e1', 'cdl-e2', 'cdl-n20', 'missed-0.5']
    """
    return [
        *(CIP, networks.CDL, networks.MDL, networks.FINETUNED),
        *list_variants(settings),
        *(experts.name_dose(rate) for rate in settings.doses),
    ]


def list_variants(settings: StudySettings) -> list[str]:
    """List the label sets of CDL by epoch and by size."""
    return [*map(networks.name_look, settings.looks), *map(networks.name_size, settings.sizes)]


def list_steps(home: Path, settings: StudySettings, *, seed: int) -> list[Step]:
    """List the steps of one screen, in order; each reads what the earlier ones wrote.

    Args:
        home: The folder of the screen.
        settings: How large.
        seed: Of the screen, the networks and the experts.
    """
    screen, quarters, nets = home / "screen", home / "quarters", home / "networks"
    cdl = nets / networks.CDL

    names = networks.name_look, networks.name_size
    return [
        Step("screen", partial(simulate_screen, screen, settings, seed=seed)),
        Step("label", partial(_label, screen, settings)),
        *(
            Step(names[0](epoch), partial(networks.look_at_cdl, screen, cdl, settings, epoch=epoch, seed=seed))
            for epoch in settings.looks
        ),
        Step("cdl", partial(networks.use_cdl, screen, nets, settings, seed=seed)),
        *(
            Step(names[1](n), partial(networks.size_cdl, screen, nets / names[1](n), settings, fields=n, seed=seed))
            for n in settings.sizes
        ),
        Step("quarters", partial(_make_quarters, screen, quarters, settings, seed)),
        Step("opinions", partial(experts.draw_opinions, quarters, seed=seed)),
        Step("corrections", partial(experts.correct_quarters, quarters, method=networks.CDL, seed=seed)),
        *(
            Step(name, partial(networks.train_mdl, quarters, nets / name, settings, name=name, seed=seed, init=init))
            for name, init in ((networks.MDL, None), (networks.FINETUNED, networks.find_weights(nets, settings)))
        ),
        Step("counts", partial(_count, quarters, home / "counts", settings, seed)),
    ]


def read_study(folder: Path, *, seeds: Sequence[int]) -> Counted:
    """Read the counts of all screens.

    Raises:
        InputError: If a screen is not done.
    """
    names = {f"seed {seed}": screen_folder(folder, seed) for seed in seeds}
    test = {name: read_step(home, "counts")["test"] for name, home in names.items()}
    return join_screens({name: home / "counts" for name, home in names.items()}, test)


def _label(screen: Path, settings: StudySettings) -> dict[str, object]:
    return {"fields": label_with_cip(screen, name=CIP, workers=settings.workers)}


def _make_quarters(screen: Path, quarters: Path, settings: StudySettings, seed: int) -> dict[str, object]:
    fields = open_dataset(screen)
    made = dict(cut_fields(fields, quarters, settings, seed=seed))
    dataset: Dataset = open_dataset(quarters)
    for name in (TRUTH, CIP, networks.CDL, *list_variants(settings)):
        cut_label_set(screen / "labels" / name, dataset, name=name)
    for rate in settings.doses:
        experts.dose_truth(dataset, rate=rate, seed=seed)
    return made


def _count(quarters: Path, folder: Path, settings: StudySettings, seed: int) -> dict[str, object]:
    dataset = open_dataset(quarters)
    counted = count_screen(dataset, folder, methods=list_methods(settings), n_rated=settings.rated, seed=seed)
    return counted | {"machine": describe_machine()}

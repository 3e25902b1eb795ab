"""Cells that several experts annotated: how far they agree, and whether a network beats the expert it learnt from."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from evaluation.metrics.count_files import write_counts
from evaluation.metrics.counts import FieldKey
from noisylabels.data.arrays import RealArray
from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.data.labels import LabelMap
from noisylabels.experiments.paper import networks
from noisylabels.experiments.paper.steps import Step
from noisylabels.experiments.real.annotator_data import CONSENSUS, experts_of, name_others, read_labs, write_lab
from noisylabels.experiments.real.nuclei import COUNTS
from noisylabels.experiments.real.scores import count, estimate, pair_methods
from noisylabels.experiments.real.settings import RealSettings

METHODS = ("expert", "her network", "network of all")
"""An expert, the network of her labels alone, the network of the consensus of all experts."""
ALL_SHARE = (0.0, 0.0, 1.0)


def list_steps(data: Path, folder: Path, settings: RealSettings, *, seeds: Sequence[int]) -> dict[str, list[Step]]:
    """List the steps by home: agreement in every laboratory, then networks of the one with the most images.

    Args:
        data: The folder of the annotators' data.
        folder: The folder of the study.
        settings: How large.
        seeds: Of the split and of the weights.

    Returns:
        Steps of "shared", then of "seed-0" and so on.
    """
    labs = read_labs(data)
    largest = max(labs.values(), key=len)
    steps = {"shared": _list_shared(data, folder, labs)}
    return steps | {
        f"seed-{seed}": _list_seed(data, folder / f"seed-{seed}", largest, settings, seed) for seed in seeds
    }


def _list_shared(data: Path, folder: Path, labs: Mapping[str, Sequence[Mapping[str, str]]]) -> list[Step]:
    steps = []
    for lab, rows in labs.items():
        fields = folder / "shared" / lab
        steps.append(Step(f"{lab}-fields", partial(write_lab, data, fields, rows, ALL_SHARE, 0)))
        steps.append(Step(f"{lab}-agreement", partial(_agree, fields)))
    return steps


def _list_seed(
    data: Path, home: Path, rows: Sequence[Mapping[str, str]], settings: RealSettings, seed: int
) -> list[Step]:
    fields, experts = home / "fields", experts_of(data, rows)
    return [
        Step("fields", partial(write_lab, data, fields, rows, settings.split, seed)),
        *(
            Step(f"network-{name}", partial(_train, fields, home / "networks" / name, settings, name, seed))
            for name in (*experts, CONSENSUS)
        ),
        Step(COUNTS, partial(_count, fields, home / COUNTS)),
    ]


def name_network(labels: str) -> str:
    """Name the label set of the network that learnt from a label set.

    Examples:
        >>> name_network("expert-3")
        'network-expert-3'
    """
    return f"network-{labels}"


def _agree(folder: Path) -> Mapping[str, object]:
    """Hold every expert against every other, and against the consensus of the others."""
    dataset = open_dataset(folder)
    experts = dataset.provenance["experts"]

    def held(reference: str, expert: str) -> list[float]:
        pairs = pair_methods(dataset, {expert: expert}, reference=reference, split=None)
        return estimate(count(pairs, dataset.classes))

    return {
        "images": len(dataset.ids()),
        "pairs": [[one, other, held(one, other)] for one in experts for other in experts if one != other],
        "against_others": {one: held(name_others(one), one) for one in experts},
    }


def _train(fields: Path, folder: Path, settings: RealSettings, name: str, seed: int) -> Mapping[str, object]:
    pace = {"val_interval": max(1, settings.epochs // 12), "learning_rate_period": max(1, settings.epochs // 5)}
    recipe = settings.cropped(label_name=name, **pace)
    trained = networks.train(networks.MDL, fields, folder, recipe, epochs=settings.epochs, seed=seed)
    target = fields / "labels" / name_network(name)
    return {"commands": [trained, networks.predict(networks.MDL, fields, folder / networks.BEST, target, split="test")]}


def _count(fields: Path, folder: Path) -> Mapping[str, object]:
    """Count the test images: each expert and the networks against the others' consensus; networks against labels."""
    dataset = open_dataset(fields)
    write_counts(count(chain.from_iterable(_pair_all(dataset)), dataset.classes), folder)
    return {"experts": dataset.provenance["experts"], "test": dataset.ids("test")}


def _pair_all(dataset: Dataset) -> Iterator[Iterator[tuple[FieldKey, RealArray, LabelMap]]]:
    experts = dataset.provenance["experts"]
    everybody = name_network(CONSENSUS)
    for one in experts:
        made = dict(zip(METHODS, (one, name_network(one), everybody), strict=True))
        yield pair_methods(dataset, made, reference=name_others(one))
        yield pair_methods(dataset, {name: made[name] for name in METHODS[1:]}, reference=one)
    named = {name_network(name): name_network(name) for name in (*experts, CONSENSUS)}
    yield pair_methods(dataset, named, reference=CONSENSUS)

"""Fields on the device, against MONAI's own reflections, rotations and padding, and in a training."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.transforms import DivisiblePadd, Flip, RandFlipd, RandGaussianNoised, RandRotated, Rotate

from noisylabels.data.errors import InputError
from noisylabels.learning import launcher
from noisylabels.learning.checkpoints import load
from noisylabels.learning.resident import Augmentation, ResidentLoader, read_augmentation
from noisylabels.learning.seeding import EpochSampler
from tests.bundles.small_screen import write_screen

SIZE = (22, 34)
SMALL = {"network_def::channels": [4, 8], "network_def::strides": [1]}


class Fields(list):
    """A dataset in memory: what `FieldDataset` gives up to its first random transform."""

    seed = 3

    def __init__(self, n_fields, transforms=()):
        generator = torch.Generator().manual_seed(0)
        super().__init__(
            {
                "image": torch.randn(2, *SIZE, generator=generator),
                "label": torch.randint(0, 3, (1, *SIZE), generator=generator).float(),
                "id": f"f{number}",
            }
            for number in range(n_fields)
        )
        self.transforms = transforms

    def read_fixed(self, position):
        return self[position]

    def random_transforms(self):
        return self.transforms


def loader(transforms, n_fields=3, batch_size=2, epoch=1):
    fields = Fields(n_fields, transforms)
    sampler = EpochSampler(fields, seed=0)
    sampler.set_epoch(epoch)
    return fields, ResidentLoader(fields, sampler, batch_size, "cpu")


def plain(tensor):
    return torch.as_tensor(tensor).as_subclass(torch.Tensor)


def flips(*probabilities):
    return [RandFlipd(["image", "label"], prob, axis) for axis, prob in enumerate(probabilities)]


def rotation(angle, prob=1.0):
    # MONAI reads a pair as a range; one angle alone would be a range around 0.
    return RandRotated(
        ["image", "label"], (angle, angle), prob=prob, mode=["bilinear", "nearest"], padding_mode="reflection"
    )


def batches_of(transforms, **options):
    fields, found = loader(transforms, **options)
    return fields, list(found)


def test_without_transforms_fields_come_as_they_are_each_once_in_the_samplers_order():
    fields, batches = batches_of([])
    assert [len(batch["id"]) for batch in batches] == [2, 1]
    names = [name for batch in batches for name in batch["id"]]
    assert sorted(names) == ["f0", "f1", "f2"]
    for batch in batches:
        for place, name in enumerate(batch["id"]):
            torch.testing.assert_close(batch["image"][place], fields[int(name[1])]["image"], rtol=0, atol=1e-4)
            assert torch.equal(batch["label"][place], fields[int(name[1])]["label"])


@pytest.mark.parametrize("axis", [0, 1])
def test_a_reflection_is_that_of_monai(axis):
    fields, batches = batches_of(flips(*(float(axis == one) for one in (0, 1))), n_fields=1)
    torch.testing.assert_close(batches[0]["image"][0], plain(Flip(axis)(fields[0]["image"])), rtol=0, atol=1e-4)
    assert torch.equal(batches[0]["label"][0], plain(Flip(axis)(fields[0]["label"])))


@pytest.mark.parametrize("flipped", [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)])
@pytest.mark.parametrize("angle", [0.3, 2.0, -1.1])
def test_a_rotation_after_reflections_is_that_of_monai(flipped, angle):
    fields, batches = batches_of([*flips(*flipped), rotation(angle)], n_fields=1)
    for key, mode in (("image", "bilinear"), ("label", "nearest")):
        expected = fields[0][key]
        for axis, on in enumerate(flipped):
            expected = Flip(axis)(expected) if on else expected
        expected = torch.as_tensor(Rotate(angle, mode=mode, padding_mode="reflection")(expected)).as_subclass(
            torch.Tensor
        )
        differs = (batches[0][key][0] - expected).abs() > 1e-3
        assert differs.float().mean() < 0.01  # rounding at the border of a pixel, and at the edge that reflects


@pytest.mark.parametrize("multiple", [1, 8, 16])
def test_padding_is_that_of_monai(multiple):
    pad = DivisiblePadd(["image", "label"], k=multiple, mode="reflect")
    fields, batches = batches_of([pad], n_fields=1)
    expected = pad(fields[0])
    for key in ("image", "label"):
        torch.testing.assert_close(
            batches[0][key][0], torch.as_tensor(expected[key]).as_subclass(torch.Tensor), atol=1e-4, rtol=0
        )


def test_what_is_drawn_depends_on_epoch_and_field_alone():
    chain = [*flips(0.5, 0.5), rotation(1.0, prob=0.5)]
    twice = [
        {name: image for batch in batches for name, image in zip(batch["id"], batch["image"], strict=True)}
        for batches in (batches_of(chain, batch_size=size)[1] for size in (1, 3))
    ]
    assert all(torch.equal(twice[0][name], twice[1][name]) for name in twice[0])
    later = batches_of(chain, batch_size=3, epoch=2)[1][0]
    assert not all(torch.equal(twice[0][name], image) for name, image in zip(later["id"], later["image"], strict=True))


def test_probabilities_are_kept():
    maps = Augmentation(flips=((0.25, 0),), rotation=(0.5, -3.0, 3.0)).draw(4000, SIZE, seed=0)
    turned = np.abs(maps[:, 0, 1]) > 0
    assert turned.mean() == pytest.approx(0.5, abs=0.03)
    assert (maps[~turned][:, 1, 1] < 0).mean() == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    ("transforms", "got"),
    [
        ([RandGaussianNoised("image")], "RandGaussianNoised as it is set"),
        ([RandFlipd(["image", "label"], 0.5)], "RandFlipd as it is set"),
        ([RandRotated(["image", "label"], 1.0, keep_size=False)], "RandRotated as it is set"),
        ([DivisiblePadd(["image", "label"], k=(8, 16), mode="reflect")], "DivisiblePadd as it is set"),
        ([DivisiblePadd(["image", "label"], k=8)], "DivisiblePadd as it is set"),
        ([RandFlipd("image", 0.5, 0), rotation(1.0)], "transforms of image and of image, label"),
        ([RandFlipd(["image", "label", "truth"], 0.5, 0)], "transforms of image, label, truth"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_done_there_is_refused(transforms, got):
    with pytest.raises(
        InputError, match=rf"^Fields on the device must be .* got {got}\. Leave out the preset resident"
    ):
        read_augmentation(transforms)


def test_fields_that_do_not_fit_are_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2**20, 2**20))
    found = loader([], n_fields=1)[1]
    found.device = torch.device("cuda")
    found._refuse_too_many(2**19)
    with pytest.raises(InputError, match=r"^Fields must fit into 80% of the free memory of cuda, 1 MiB, got 1 MiB\."):
        found._refuse_too_many(int(0.9 * 2**20))


def test_fields_of_unequal_size_are_refused_and_reading_can_be_repeated():
    fields, found = loader([], n_fields=2)
    kept = fields[1]["image"]
    fields[1]["image"] = kept[..., 1:]
    with pytest.raises(InputError, match=r"fields of unequal size, \(22, 34\) and \(22, 33\)"):
        list(found)
    fields[1]["image"] = kept
    assert sorted(next(iter(found))["id"]) == ["f0", "f1"]


def test_the_truth_rides_along_and_what_needs_a_loading_process_is_refused(tmp_path: Path) -> None:
    screen = write_screen(tmp_path / "screen")
    shutil.copytree(screen / "labels/cip", screen / "labels/truth")
    settings = {"dataset_dir": str(screen), "output_dir": str(tmp_path / "run"), "num_epochs": 1, **SMALL}
    launcher.run(launcher.plan_training("cdl", ("resident", "memorisation"), settings))
    assert 0 <= json.loads((tmp_path / "run/metrics.json").read_text())[0]["memorisation_correct_fitted"] <= 1
    with pytest.raises(InputError, match=r"got AppendBinsd as it is set\. Leave out the preset resident"):
        launcher.run(
            launcher.plan_training(
                "cdl", ("resident", "robust_appearance"), settings | {"output_dir": str(tmp_path / "b")}
            )
        )


def test_a_bundle_trains_on_resident_fields_and_goes_on_after_a_stop(tmp_path: Path) -> None:
    screen = write_screen(tmp_path / "screen")

    def train(out: str, epochs: int) -> None:
        settings = {"dataset_dir": str(screen), "output_dir": str(tmp_path / out), "num_epochs": epochs, **SMALL}
        settings["schedule_epochs"] = 3
        launcher.run(launcher.plan_training("cdl", ("resident",), settings))

    train("whole", 3)
    train("stopped", 1)
    settings = {"dataset_dir": str(screen), "output_dir": str(tmp_path / "stopped"), "num_epochs": 2, **SMALL}
    settings |= {"patch_size": [-1, -1], "batch_size": 4, "schedule_epochs": 3}  # the preset's
    with pytest.raises(InputError, match="resident"):  # what loading processes draw is another training
        launcher.run(launcher.plan_training("cdl", (), settings))
    train("stopped", 3)
    whole, stopped = (load(tmp_path / name / "last.pt")["network"] for name in ("whole", "stopped"))
    assert all(torch.equal(whole[key], stopped[key]) for key in whole)
    epochs = json.loads((tmp_path / "whole/metrics.json").read_text())
    assert [row["epoch"] for row in epochs] == [1, 2, 3]
    assert epochs[2]["train_loss"] < epochs[0]["train_loss"]

from pathlib import Path
from types import SimpleNamespace

import monai.data
import numpy as np
import pytest
import torch
from monai.data import DataLoader
from monai.transforms import Compose, LoadImaged, RandFlipd, RandGaussianNoised

from noisylabels.data.images import write_image
from noisylabels.learning.data import FieldDataset
from noisylabels.learning.monai_io import FieldReader
from noisylabels.learning.seeding import Draw, EpochSampler, EpochSeeder, derive_seed


def dataset(folder: Path, seed: int = 0) -> FieldDataset:
    for number in range(4):
        image = np.random.default_rng(number).integers(0, 4096, (1, 6, 4)).astype(np.uint16)
        write_image(folder / f"f{number}.ome.tif", image)
    steps = [
        LoadImaged("image", reader=FieldReader(), ensure_channel_first=True),
        RandFlipd("image", prob=0.5),
        RandGaussianNoised("image", prob=1.0),
    ]
    return FieldDataset([{"image": str(folder / f"f{i}.ome.tif")} for i in range(4)], Compose(steps), seed=seed)


def loaded(fields: FieldDataset, epoch: int, n_workers: int = 0) -> dict[str, torch.Tensor]:
    sampler = EpochSampler(fields, seed=0)
    sampler.set_epoch(epoch)
    batches = DataLoader(fields, batch_size=1, sampler=sampler, num_workers=n_workers)
    return {batch["id"][0]: torch.as_tensor(batch["image"][0]) for batch in batches}


def test_a_field_looks_the_same_in_the_same_epoch_whatever_was_loaded_before(tmp_path: Path) -> None:
    fields = dataset(tmp_path)
    alone = fields[Draw(3, 2)]["image"]
    for position in (1, 0, 3):
        fields[Draw(7, position)]
    assert torch.equal(fields[Draw(3, 2)]["image"], alone)


def test_epochs_fields_and_seeds_differ(tmp_path: Path) -> None:
    fields = dataset(tmp_path)
    assert not torch.equal(fields[Draw(1, 0)]["image"], fields[Draw(2, 0)]["image"])
    assert not torch.equal(fields[Draw(1, 0)]["image"], dataset(tmp_path, seed=1)[Draw(1, 0)]["image"])


def test_workers_change_nothing(tmp_path: Path) -> None:
    fields = dataset(tmp_path)
    alone, shared = loaded(fields, 2), loaded(fields, 2, n_workers=2)
    assert list(alone) == list(shared)
    assert all(torch.equal(alone[name], shared[name]) for name in alone)


def test_each_epoch_has_its_own_order_and_the_same_one_again(tmp_path: Path) -> None:
    fields = list(range(20))
    orders = []
    for epoch in (1, 2, 1):
        sampler = EpochSampler(fields, seed=0)
        sampler.set_epoch(epoch)
        orders.append([draw.position for draw in sampler])
    assert orders[0] == orders[2] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == fields


def test_torch_draws_the_same_numbers_in_the_same_epoch() -> None:
    from ignite.engine import Engine, Events

    drawn: dict[tuple[int, int], float] = {}
    for run in (0, 1):
        engine = Engine(lambda engine, batch: None)
        EpochSeeder(seed=5).attach(engine)
        torch.rand(run)  # another history in each run
        engine.add_event_handler(
            Events.EPOCH_COMPLETED, lambda e, run=run: drawn.update({(run, e.state.epoch): float(torch.rand(1))})
        )
        engine.run([0], max_epochs=2)
    assert drawn[0, 1] == drawn[1, 1] != drawn[0, 2] == drawn[1, 2]


def test_seeds_do_not_collide_over_epochs_and_fields() -> None:
    seeds = {derive_seed(0, epoch, position) for epoch in range(50) for position in range(50)}
    assert len(seeds) == 2500


def test_without_tracking_the_pixels_are_the_same_and_the_switch_is_put_back(tmp_path: Path) -> None:
    fields = dataset(tmp_path)
    tracked = loaded(fields, 1)
    fields.track_meta = False
    plain = loaded(fields, 1)
    assert all(torch.equal(torch.as_tensor(tracked[name]), torch.as_tensor(plain[name])) for name in tracked)
    assert monai.data.get_track_meta()


def test_the_switch_is_put_back_after_a_fault_too() -> None:
    def fail(field: object) -> object:
        assert not monai.data.get_track_meta()
        msg = "as planned"
        raise ValueError(msg)

    with pytest.raises(RuntimeError, match="applying transform"):  # as MONAI passes it on
        FieldDataset([{"image": "f0.tif"}], fail, track_meta=False)[0]
    assert monai.data.get_track_meta()


def test_fields_that_are_kept_are_read_once_and_look_the_same(tmp_path: Path) -> None:
    fields = dataset(tmp_path)
    read = [loaded(fields, epoch) for epoch in (1, 2, 1)]
    keeping = FieldDataset(fields.data, fields.transform, keep_mib=1)
    first = loaded(keeping, 1)
    for file in tmp_path.glob("*.tif"):
        file.unlink()
    kept = [first, loaded(keeping, 2), loaded(keeping, 1)]
    for before, after in zip(read, kept, strict=True):
        assert list(before) == list(after)
        assert all(torch.equal(before[name], after[name]) for name in before)


def test_fields_beyond_the_memory_are_read_each_time(tmp_path: Path) -> None:
    """A field is 6 x 4 pixels of float32, 96 bytes: there is room for one."""
    fields = dataset(tmp_path)
    keeping = FieldDataset(fields.data, fields.transform, keep_mib=100 / 2**20)
    alone = [keeping[Draw(1, position)]["image"] for position in (0, 1)]
    (tmp_path / "f0.ome.tif").unlink()
    assert torch.equal(torch.as_tensor(keeping[Draw(1, 0)]["image"]), torch.as_tensor(alone[0]))
    assert torch.equal(torch.as_tensor(keeping[Draw(1, 1)]["image"]), torch.as_tensor(alone[1]))
    (tmp_path / "f1.ome.tif").unlink()
    with pytest.raises(RuntimeError, match="applying transform"):
        keeping[Draw(1, 1)]


def test_memory_that_is_just_filled_still_serves_what_is_kept(tmp_path: Path) -> None:
    fields = dataset(tmp_path)
    keeping = FieldDataset(fields.data, fields.transform, keep_mib=96 / 2**20)
    alone = torch.as_tensor(keeping[Draw(1, 0)]["image"])
    (tmp_path / "f0.ome.tif").unlink()
    assert torch.equal(torch.as_tensor(keeping[Draw(1, 0)]["image"]), alone)


def test_the_workers_of_a_loader_share_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field is 96 bytes: two fit in one process, one in each of two."""
    fields = dataset(tmp_path)
    keeping = FieldDataset(fields.data, fields.transform, keep_mib=192 / 2**20)
    monkeypatch.setattr(torch.utils.data, "get_worker_info", lambda: SimpleNamespace(num_workers=2))
    alone = [torch.as_tensor(keeping[Draw(1, position)]["image"]) for position in (0, 1)]
    for name in ("f0.ome.tif", "f1.ome.tif"):
        (tmp_path / name).unlink()
    assert torch.equal(torch.as_tensor(keeping[Draw(1, 0)]["image"]), alone[0])
    with pytest.raises(RuntimeError, match="applying transform"):
        keeping[Draw(1, 1)]


def test_what_a_transform_does_to_a_kept_field_does_not_stay(tmp_path: Path) -> None:
    def brighten(field: dict) -> dict:
        field["image"] += 1
        return field

    fields = dataset(tmp_path)
    steps = Compose([fields.transform.transforms[0], brighten])
    keeping = FieldDataset(fields.data, steps, keep_mib=1)
    assert torch.equal(torch.as_tensor(keeping[0]["image"]), torch.as_tensor(keeping[0]["image"]))


def test_a_chain_without_random_transforms_is_kept_whole(tmp_path: Path) -> None:
    fields = dataset(tmp_path)
    keeping = FieldDataset(fields.data, Compose(fields.transform.transforms[:1]), keep_mib=1)
    whole = torch.as_tensor(keeping[2]["image"]).clone()
    (tmp_path / "f2.ome.tif").unlink()
    assert torch.equal(torch.as_tensor(keeping[2]["image"]), whole)

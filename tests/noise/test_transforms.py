"""Label noise in a MONAI pipeline is that of the command line."""

import re

import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.utils import set_determinism

from noisylabels.data.errors import InputError
from noisylabels.noise.model import NoiseModel
from noisylabels.noise.transforms import CorruptLabeld
from tests.noise.fields import crowded_field

SETTINGS = {"missed": {"rate": 0.4, "given": {"contrast": -1.0}}, "boundary": {"rate": 0.5}}


def item(seed=0):
    label_map, image = crowded_field(seed)
    meta = {"filename_or_obj": f"labels/truth/field-{seed}.tif"}
    return {
        "image": MetaTensor(torch.from_numpy(image.swapaxes(1, 2).copy())),
        "label": MetaTensor(torch.from_numpy(label_map.T[None].copy()), meta=meta),
    }


def test_a_background_only_label_map_stays_one():
    empty = {"id": "a", "label": torch.zeros(1, 5, 7, dtype=torch.uint8)}
    made = CorruptLabeld("label", {"missed": {"rate": 1.0}}, id_key="id")(empty)["label"]
    assert made.shape == (1, 5, 7)
    assert not made.any()


def test_static_noise_is_that_of_the_model_in_rows_and_columns_and_the_same_every_time():
    transform = CorruptLabeld("label", SETTINGS, image_key="image", log_key="log")
    label_map, image = crowded_field(0)
    expected = NoiseModel.from_dict(SETTINGS).apply(label_map, image, image_id="field-0")
    first, second = transform(item()), transform(item())
    assert np.array_equal(first["label"][0].numpy().T, expected.label_map)
    assert torch.equal(first["label"], second["label"])
    assert first["label"].dtype == torch.uint8
    assert first["label"].meta["filename_or_obj"] == "labels/truth/field-0.tif"
    assert first["log"]["event"].tolist() == expected.log["event"].tolist()


def test_the_item_is_not_modified():
    given = item()
    before = given["label"].clone()
    CorruptLabeld("label", {"missed": {"rate": 1.0}})(given)
    assert torch.equal(given["label"], before)


def test_fresh_noise_differs_between_epochs_and_is_repeatable():
    def epochs():
        set_determinism(0)
        transform = CorruptLabeld("label", {"missed": {"rate": 0.5}}, fresh=True)
        transform.set_random_state(seed=3)
        loader = DataLoader(Dataset([item(0), item(1)], transform), batch_size=1)
        return [torch.stack([batch["label"][0] for batch in loader]) for _ in range(2)]

    try:
        first, again = epochs(), epochs()
    finally:
        set_determinism(None)
    assert not torch.equal(first[0], first[1])
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"label": torch.zeros(1, 3, 3)},
            "Static noise must know which image it is applied to, got an item without id or file. Give id_key.",
        ),
        (
            {"id": "a", "label": torch.zeros(3, 4, 4)},
            "A label map to corrupt must be (1, x, y), got (3, 4, 4). Corrupt it before it is one-hot.",
        ),
    ],
)
def test_a_wrong_item_is_refused_in_one_sentence(data, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        CorruptLabeld("label", {"missed": {"rate": 0.5}}, id_key="id")(data)

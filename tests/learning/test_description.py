import numpy as np
import torch
from monai.losses import DiceLoss
from monai.transforms import Compose, RandFlipd

from noisylabels.learning.description import describe, first_difference


def test_equal_settings_are_equal_and_a_changed_one_is_named() -> None:
    then = describe({"loss": DiceLoss(softmax=True), "seed": 0})
    assert first_difference(then, describe({"loss": DiceLoss(softmax=True), "seed": 0})) is None
    now = describe({"loss": DiceLoss(sigmoid=True), "seed": 0})
    assert first_difference(then, now) == ("loss sigmoid", False, True)


def test_transforms_are_compared_by_their_settings_not_by_their_random_state() -> None:
    def flip(prob: float, seed: int) -> object:
        return describe(Compose([RandFlipd("image", prob=prob).set_random_state(seed)]))

    assert flip(0.5, 1) == flip(0.5, 2)
    assert first_difference(flip(0.5, 1), flip(0.25, 1)) == ("transforms 0 prob", 0.5, 0.25)


def test_another_class_is_a_difference() -> None:
    weights = [torch.nn.Parameter(torch.zeros(1))]
    then, now = describe(torch.optim.SGD(weights, lr=1.0)), describe(torch.optim.Adam(weights, lr=1.0))
    assert first_difference(then, now) == ("class", "torch.optim.sgd.SGD", "torch.optim.adam.Adam")


def test_an_object_that_holds_itself_is_described_once() -> None:
    module = torch.nn.Dropout()
    module.__dict__["itself"] = module
    assert describe(module)["itself"] == "torch.nn.modules.dropout.Dropout"


def test_a_description_can_be_stored_with_weights_only(tmp_path) -> None:
    described = describe({"loss": DiceLoss(), "transform": Compose([RandFlipd("image")]), "t": torch.zeros(2)})
    torch.save(described, tmp_path / "a.pt")
    assert torch.load(tmp_path / "a.pt", weights_only=True) == described


def test_lists_of_other_length_differ() -> None:
    assert first_difference({"split": [1, 2]}, {"split": [1]}) == ("split", [1, 2], [1])


def test_arrays_and_buffers_are_compared_by_value_and_weights_by_shape() -> None:
    for array in (torch.tensor([1.0, 2.0]), np.array([1, 2]), torch.tensor(1, dtype=torch.bfloat16)):
        same, other = describe({"a": array}), describe({"a": array + 1})
        again = array.copy() if isinstance(array, np.ndarray) else array.clone()
        assert first_difference(same, describe({"a": again})) is None
        assert first_difference(same, other)[0] == "a"
    module = torch.nn.BatchNorm1d(2)
    then = describe(module)
    module.weight.data += 1
    assert describe(module) == then
    module.running_mean += 1
    assert first_difference(then, describe(module))[0] == "weights running_mean"
    assert describe(torch.empty(0)) == describe(torch.empty(0))

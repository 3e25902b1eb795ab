"""Settings of every kind come through one door."""

import dataclasses
from typing import Literal

import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.data.settings import build, change, schema_of


@dataclasses.dataclass(frozen=True)
class Inner:
    pair: tuple[float, float] = (1.0, 2.0)
    kind: Literal["box", "mask"] = "box"


@dataclasses.dataclass(frozen=True)
class Outer:
    number: int = 3
    share: float = 0.5
    flag: bool = False
    inner: Inner = dataclasses.field(default_factory=Inner)

    def __post_init__(self):
        if self.share > 1:
            msg = f"share must be in [0, 1], got {self.share}. For 5 % write 0.05."
            raise InputError(msg)


def test_nothing_given_is_the_default():
    assert build(Outer, {}) == Outer()


def test_values_at_any_depth_are_taken_and_the_rest_stays():
    made = change(Outer(number=7), {"inner": {"pair": [3, 4]}, "share": np.float64(0.25)})
    assert made == Outer(number=7, share=0.25, inner=Inner(pair=(3.0, 4.0)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"numbr": 1}, "Setting numbr must be one of those there are, got an unknown name. Did you mean number?"),
        ({"inner": {"pear": 1}},
         "Setting inner.pear must be one of those there are, got an unknown name. Did you mean pair?"),
        ({"inner": 3}, "Setting inner must be a mapping of names to values, got 3. Write one name a line."),
        ({"number": "3"}, "Setting number must be a whole number, got '3'. Correct the value."),
        ({"number": 3.5}, "Setting number must be a whole number, got 3.5. Correct the value."),
        ({"share": True}, "Setting share must be a number, got True. Correct the value."),
        ({"flag": 1}, "Setting flag must be true or false, got 1. Correct the value."),
        ({"inner": {"kind": "circle"}}, "Setting inner.kind must be 'box' or 'mask', got 'circle'. Correct the value."),
        ({"share": 5}, "share must be in [0, 1], got 5.0. For 5 % write 0.05."),
    ],
    ids=["name", "deep name", "no mapping", "text", "fraction", "truth", "number", "choice", "own rule"],
)  # fmt: skip
def test_a_fault_is_one_sentence(values, message):
    for make in (lambda: build(Outer, values), lambda: change(Outer(), values)):
        with pytest.raises(InputError) as fault:
            make()
        assert str(fault.value) == message


def test_the_schema_tells_names_and_choices():
    schema = schema_of(Outer)
    assert set(schema["properties"]) == {"number", "share", "flag", "inner"}
    assert schema["$defs"]["Inner"]["properties"]["kind"]["enum"] == ["box", "mask"]

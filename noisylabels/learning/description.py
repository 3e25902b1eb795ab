"""What an object is set to, as plain data that can be stored and compared."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Any

import numpy as np
import torch

PLAIN = {bool, int, float, str, type(None)}


def describe(value: object, *, above: tuple[int, ...] = ()) -> Any:
    """Turn settings and objects into plain data: numbers, texts, lists, and mappings with text keys.

    An object becomes its class and its public attributes, an array or a buffer of a module its type, shape and digest;
    random states and hooks are left out, and of weights, which are learnt, names and shapes are kept.

    Args:
        value: Anything a config makes.
        above: What it is part of, so that an object that holds itself is told once.

    Examples:
        >>> describe(torch.nn.Dropout(0.5))
        {'class': 'torch.nn.modules.dropout.Dropout', 'p': 0.5, 'inplace': False}
    """
    if isinstance(value, Enum):
        return describe(value.value)
    if type(value) in PLAIN:
        return value
    if id(value) in above:
        return _class_path(value)
    inside = (*above, id(value))
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): describe(part, above=inside) for key, part in value.items()}
    if isinstance(value, torch.optim.Optimizer):
        return {"class": _class_path(value), **describe(value.defaults)}
    if isinstance(value, torch.Tensor | np.ndarray):
        return _described_array(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Sequence | set | frozenset):
        return [describe(part, above=inside) for part in value]
    if isinstance(value, partial):
        return {
            "class": _class_path(value.func),
            "args": describe(value.args, above=inside),
            **describe(value.keywords),
        }
    if isinstance(value, type) or not hasattr(value, "__dict__") or callable(getattr(value, "__code__", None)):
        return _class_path(value)
    return {"class": _class_path(value), **_attributes(value, inside)}


def first_difference(then: object, now: object, name: str = "") -> tuple[str, Any, Any] | None:
    """Find the first place where two descriptions differ.

    Args:
        then: The older description.
        now: The newer one.
        name: Where both stand, for the name of the place.

    Returns:
        The name of the place and both values, or None if all is equal.

    Examples:
        >>> first_difference({"loss": {"gamma": 2}}, {"loss": {"gamma": 3}})
        ('loss gamma', 2, 3)
    """
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        pairs: Iterator[Any] = ((str(key), then.get(key), now.get(key)) for key in {**then, **now})
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        pairs = ((str(index), old, new) for index, (old, new) in enumerate(zip(then, now, strict=True)))
    else:
        return None if then == now else (name, then, now)
    found = (first_difference(old, new, f"{name} {key}".strip()) for key, old, new in pairs)
    return next((difference for difference in found if difference), None)


def _described_array(array: "torch.Tensor | np.ndarray[Any, Any]") -> str:
    values = array.detach().cpu().contiguous() if isinstance(array, torch.Tensor) else torch.from_numpy(array.copy())
    content = values.reshape(-1).view(torch.uint8).numpy().tobytes()
    return f"{array.dtype} {tuple(array.shape)} {hashlib.sha256(content).hexdigest()[:16]}"


def _class_path(value: object) -> str:
    kind = value if isinstance(value, type) or hasattr(value, "__qualname__") else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"


def _attributes(value: object, inside: tuple[int, ...]) -> dict[str, object]:
    if isinstance(value, torch.nn.Module):
        own = {"training"}
        buffers = {name for name, _ in value.named_buffers()}
        weights = {
            name: _described_array(part) if name in buffers else str(tuple(part.shape))
            for name, part in value.state_dict().items()
        }
        public = {
            key: describe(part, above=inside) for key, part in vars(value).items() if key[0] != "_" and key not in own
        }
        return public | ({"weights": weights} if weights else {})
    return {key: describe(part, above=inside) for key, part in vars(value).items() if key[0] != "_" and key != "R"}

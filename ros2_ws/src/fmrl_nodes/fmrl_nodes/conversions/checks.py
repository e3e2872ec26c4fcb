"""What conversions ask of a message before it becomes a value of the library."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, TypeVar

import numpy as np

from fmrl_nodes.errors import BadMessage
from fmrl_robot.types import FloatArray

E = TypeVar("E", bound=Enum)

LARGEST = 1e12
"""Of any quantity in SI units here; squares of what is larger overflow the single precision of
policies and meshes, and are infinite there."""


def finite(what: str, values: Sequence[float] | FloatArray) -> FloatArray:
    """The values as float64; ``what`` names them in the error.

    Raises:
        BadMessage: one is NaN, infinite, or larger than ``LARGEST``.
    """
    array = np.array(values, dtype=np.float64)
    sound = np.abs(array) <= LARGEST  # so written, NaN is not
    if not sound.all():
        bad = int(np.flatnonzero(~sound)[0])
        raise BadMessage(f"expected finite {what} up to {LARGEST:g}, got {array[bad]} at {bad}")
    return array


def number(what: str, value: float) -> float:
    """A finite number; see ``finite``."""
    return float(finite(what, (value,))[0])


def one_of(kind: type[E], value: Any) -> E:
    """The member of ``kind`` with that value.

    Raises:
        BadMessage: there is none.
    """
    try:
        return kind(value)
    except ValueError as error:
        known = ", ".join(str(member.value) for member in kind)
        raise BadMessage(f"expected {kind.__name__} as one of {known}, got {value!r}") from error


def pairs(what: str, first: Sequence[Any], second: Sequence[Any]) -> tuple[tuple[Any, Any], ...]:
    """The entries of two arrays that belong together.

    Raises:
        BadMessage: one is longer.
    """
    if len(first) != len(second):
        raise BadMessage(f"expected {what} of one length, got {len(first)} and {len(second)}")
    return tuple(zip(first, second, strict=True))

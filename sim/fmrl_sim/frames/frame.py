"""One labelled picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fmrl_robot.types import Predicate


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """One picture and what is true in it."""

    image: npt.NDArray[np.uint8]
    """RGB, shape (size, size, 3)."""
    facts: frozenset[Predicate]

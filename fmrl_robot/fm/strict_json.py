"""JSON as its standard (RFC 8259) has it, which Python's reader does not hold to.

NaN compares false with every bound, so that it passes a schema's minimum and maximum; JSON has no
such number. Whatever a text holds, the one error is a ValueError.
"""

from __future__ import annotations

import json
import math
from typing import Any


def loads(text: str) -> Any:
    """Read one JSON value, of which every number is finite.

    Raises:
        ValueError: it is no JSON, or a number or the nesting is beyond what Python holds.
    """
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise ValueError("expected JSON of some depth, got it nested too deeply") from None


def _no_number(name: str) -> float:
    raise ValueError(f"expected a number that JSON knows, got {name}")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):  # such as 1e999
        raise ValueError(f"expected a number that a float holds, got {text[:40]}")
    return value

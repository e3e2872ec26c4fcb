"""Makes messages of any type that mean nothing: for tests of what hears them."""

import array
import math
import re

import numpy as np
from rclpy.serialization import deserialize_message, serialize_message

from fmrl_robot.view.mcap_log import message_class

_KIND = re.compile(r"^(?:sequence<(?P<item>[^,>]+(?:<\d+>)?)(?:, \d+)?>|(?P<of>.+)\[(?P<n>\d+)\])$")
_WHOLE = re.compile(r"^(u?)int(8|16|32|64)$")
FLOATS = (0.0, -0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 1e300, -1e300, 1e-310, 0.5)
SINGLES = (0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 3e38, -3e38, 1e-42)
WORDS = (
    *("", "\x00", "a" * 5000, "ünï\ncode", "../../etc", "NaN", "-1", "world", "FL", "RR", "FL"),
    *("panda_joint1", "FL_hip_joint", "rgb8", "bgr8", "mono16", "16UC1", "32FC1", "nv12"),
    *("bayer_rggb8", "yuv422", "camera", "cube", "red_cube", "in", "pick", "done"),
)


class Malformer:
    """A seeded source of messages; ``rng`` says which."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def any(self, cls, depth=0):
        """A message with every field at random."""
        message = cls()
        for field, kind in cls.get_fields_and_field_types().items():
            setattr(message, field, self.value(kind, depth))
        return message

    def spoiled(self, good, fields):
        """A copy of a good message with that many fields, at any depth, at random."""
        message = deserialize_message(serialize_message(good), type(good))
        for _ in range(fields):
            self._spoil(message)
        return message

    def _spoil(self, message):
        while True:
            kinds = message.get_fields_and_field_types()
            field = list(kinds)[self.rng.integers(len(kinds))]
            inner = getattr(message, field)
            if hasattr(inner, "get_fields_and_field_types") and self.rng.random() < 0.9:
                message = inner
                continue
            if isinstance(inner, list) and inner and self.rng.random() < 0.7:
                one = inner[self.rng.integers(len(inner))]
                if hasattr(one, "get_fields_and_field_types"):
                    message = one
                    continue
            if len_of(inner) and self.rng.random() < 0.5:
                setattr(message, field, self._bent(inner, kinds[field]))
            else:
                setattr(message, field, self.value(kinds[field], 0))
            return

    def _bent(self, values, kind):
        """An array with one entry changed, or one too few or too many."""
        match = _KIND.match(kind)
        bent = list(values)
        spot = int(self.rng.integers(len(bent)))
        item = match["item"] or match["of"]
        how = self.rng.integers(1 if match["n"] else 3)
        if how == 0:
            bent[spot] = self.value(item, 1)
        elif how == 1:
            del bent[spot]
        else:
            bent.append(self.value(item, 1))
        return bent

    def value(self, kind, depth):
        """Something that a field of that type can hold."""
        match, whole = _KIND.match(kind), _WHOLE.match(kind)
        if match:
            most = 3 if depth > 1 else 6
            count = int(match["n"] or self.rng.integers(most))
            if not match["n"] and depth == 0 and self.rng.random() < 0.1:
                count = 300
            return [self.value(match["item"] or match["of"], depth + 1) for _ in range(count)]
        if whole:
            bits = int(whole[2])
            low, high = (0, 2**bits - 1) if whole[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
            return int(self._one((low, high, 0, 1, 2, 3, min(high, 224), min(high, 70_000))))
        if kind in ("double", "float"):
            return float(self._one(FLOATS if kind == "double" else SINGLES))
        if kind == "boolean":
            return bool(self.rng.integers(2))
        if kind == "octet":
            return bytes([self.rng.integers(256)])
        if kind.startswith(("string", "wstring")):
            return str(self._one(WORDS))
        return self.any(message_class(kind), depth + 1)

    def _one(self, choices):
        return choices[self.rng.integers(len(choices))]


def poisoned(good, poison):
    """A copy of a good message with every floating-point number in it replaced."""
    message = deserialize_message(serialize_message(good), type(good))
    _poison(message, poison)
    return message


def _poison(message, poison):
    for field, kind in message.get_fields_and_field_types().items():
        value = getattr(message, field)
        if hasattr(value, "get_fields_and_field_types"):
            _poison(value, poison)
        elif kind == "double":
            setattr(message, field, poison)
        elif len_of(value) and "double" in kind:
            setattr(message, field, [poison] * len_of(value))
        elif isinstance(value, list):
            for inner in value:
                if hasattr(inner, "get_fields_and_field_types"):
                    _poison(inner, poison)


def len_of(value):
    """Entries of an array field, 0 of any other."""
    return len(value) if isinstance(value, list | array.array | np.ndarray) else 0


def numbers(message):
    """Every floating-point number in a message."""
    for field, kind in message.get_fields_and_field_types().items():
        value = getattr(message, field)
        if hasattr(value, "get_fields_and_field_types"):
            yield from numbers(value)
        elif kind in ("double", "float"):
            yield value
        elif len_of(value) and ("double" in kind or "float" in kind):
            yield from (float(v) for v in value)
        elif isinstance(value, list):
            for inner in value:
                if hasattr(inner, "get_fields_and_field_types"):
                    yield from numbers(inner)

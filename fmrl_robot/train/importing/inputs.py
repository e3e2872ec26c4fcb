"""What a network from elsewhere is shown: its terms, their clips, scales and histories.

Both mjlab and Isaac Lab clip a term first, then scale it, then keep its frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fmrl_robot.robots import RobotSpec
from fmrl_robot.train.importing import terms
from fmrl_robot.train.importing.statement import FLATTEN, ORDER, SENSOR_BODY, Statement
from fmrl_robot.train.importing.values import number
from fmrl_robot.types import FloatArray

_BASES = ("base", "base_link", "trunk")
"""How models of quadrupeds call the body that carries the others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """One observation term of the network."""

    name: str
    """This project's."""
    said: str
    """The file's."""
    scale: FloatArray
    """Of each number of a frame, after it was clipped, shape (size,); none is 0."""
    clip: tuple[float, float]
    """Bounds of every number of a frame before its scale, infinite where there are none."""
    history: int
    """Frames, oldest first."""


def read_terms(said: Statement, spec: RobotSpec) -> tuple[Term, ...]:
    """Read the terms in the order of the network's input.

    Raises:
        ConfigError: POLICY_REFUSED; one is unknown here, or what is said of it cannot be read.
    """
    names = said.names("observation_names")
    ours = [terms.term_of(name) for name in names]
    if len(set(ours)) != len(ours):
        raise said.refused("observation_names", "each term once", list(names))
    commands = [name for name in ours if name in (terms.COMMAND, terms.WINDOW)]
    told = [terms.command_of(name) for name in said.names("command_names", commands or [])]
    if sorted(told) != sorted(commands):
        raise said.refused("command_names", f"those among the observations ({commands})", told)
    sizes = [terms.SIZES[name] for name in ours]
    stated = said.numbers("observation_sizes", len(ours)) if "observation_sizes" in said else sizes
    for name, size, got in zip(names, sizes, stated, strict=True):
        if size != got:
            raise said.refused("observation_sizes", f"{size} numbers of {name}", float(got))
    _check_bodies(said, names, spec)
    return tuple(
        Term(name=o, said=s, scale=scale, clip=clip, history=history)
        for o, s, scale, clip, history in zip(
            ours,
            names,
            _scales(said, names, sizes),
            _clips(said, names),
            _histories(said, names),
            strict=True,
        )
    )


def by_frame(said: Statement, found: Sequence[Term]) -> bool:
    """Whether the history stands frame by frame: all terms of one moment, then those of the next.

    Raises:
        ConfigError: POLICY_REFUSED; the order cannot be read, or terms of different histories
            would have to stand so.
    """
    lengths = [term.history for term in found]
    if FLATTEN in said and ORDER not in said:
        key, flags = FLATTEN, said.flags(FLATTEN, len(found))
        kept = [flag for flag, length in zip(flags, lengths, strict=True) if length > 1]
        if len(set(kept)) > 1:
            raise said.refused(FLATTEN, "one order for all terms with a history", flags)
        chosen, said.sources[ORDER] = not any(kept or flags), said.sources[FLATTEN]
    else:
        key, orders = ORDER, said.names(ORDER, ["by_term"])
        if orders not in (("by_term",), ("by_frame",)):
            raise said.refused(ORDER, "by_term or by_frame", list(orders))
        chosen = orders == ("by_frame",)
    if chosen and len(set(lengths)) > 1:
        raise said.refused(key, "one length of history where it stands frame by frame", lengths)
    return chosen


def _scales(said: Statement, names: tuple[str, ...], sizes: list[int]) -> list[FloatArray]:
    """One number a term, or one a number of the term."""
    key = "observation_scales"
    raw = _one_a_term(said, key, names, 1.0)
    scales: list[FloatArray] = []
    for name, size, value in zip(names, sizes, raw, strict=True):
        scale = _row(value if isinstance(value, list) else [value])
        if len(scale) not in (1, size) or not np.all(np.isfinite(scale)):
            raise said.refused(key, f"1 or {size} numbers for {name}", value)
        if not np.all(scale):
            # Three decimals leave nothing of a scale below 0.0005.
            raise said.refused(key, f"numbers other than 0 for {name}", value)
        scales.append(np.resize(scale, size))
    return scales


def _clips(said: Statement, names: tuple[str, ...]) -> list[tuple[float, float]]:
    """Lower and upper bound of each term."""
    key = "observation_clips"
    clips: list[tuple[float, float]] = []
    for name, value in zip(names, _one_a_term(said, key, names, None), strict=True):
        bounds = _row([-np.inf, np.inf] if value is None else value)
        if bounds.shape != (2,) or not bounds[0] < bounds[1]:
            raise said.refused(key, f"a lower and an upper bound for {name}", value)
        clips.append((float(bounds[0]), float(bounds[1])))
    return clips


def _histories(said: Statement, names: tuple[str, ...]) -> list[int]:
    """Frames of each term; 0 is how mjlab says that there is no history."""
    frames = said.numbers("observation_history_lengths", len(names), 1.0)
    if np.any(frames < 0) or np.any(frames != frames // 1):
        raise said.refused("observation_history_lengths", "whole numbers", frames.tolist())
    return [max(1, int(n)) for n in frames]


def _check_bodies(said: Statement, names: tuple[str, ...], spec: RobotSpec) -> None:
    """Refuse a sensor that measures in the frame of another body than the base."""
    if SENSOR_BODY not in said:
        return
    known = dict.fromkeys(("", spec.base_body, *_BASES))
    for name, body in zip(names, _one_a_term(said, SENSOR_BODY, names, ""), strict=True):
        if body not in known:
            expected = f"the base of {spec.name} ({', '.join(filter(None, known))}) for {name}"
            raise said.refused(SENSOR_BODY, expected, body)


def _one_a_term(said: Statement, key: str, names: tuple[str, ...], default: Any) -> list[Any]:
    raw = said.raw(key, [default] * len(names))
    if len(raw) != len(names):
        raise said.refused(key, f"one for each of {', '.join(names)}", raw)
    return raw


def _row(values: object) -> FloatArray:
    """A list of numbers, or a single NaN where it is none."""
    try:
        return np.array([number(v) for v in values] if isinstance(values, list) else [np.nan])
    except ValueError:
        return np.array([np.nan])

"""Facts of the tabletop from estimated poses: what is in, on, held, open and pressed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fmrl_robot.skills import CONTAINERS
from fmrl_robot.types import FloatArray, Predicate, SceneObject

HOLDING_M = (0.010, 0.028)
"""Finger positions between which the hand holds a cube: neither shut nor open."""
IN_HAND_M = 0.035
CUBE_M = 0.04
OPEN_M, CLOSED_M = 0.10, 0.02
PRESSED_TOP_M = 0.0395
"""The cap of a pressed button stands lower than this."""
_ON_ASIDE_M, _ON_HEIGHT_M = 0.030, 0.012
_RIM_SLACK_M = 0.016
_RESTING_M = 0.034


def facts_of(
    objects: Mapping[str, SceneObject], *, held: str | None, opening_m: float, cap_top_m: float
) -> frozenset[Predicate]:
    """Every fact of the vocabulary that holds.

    Args:
        objects: what is known, by name.
        held: the cube in the hand.
        opening_m: how far the drawer is open.
        cap_top_m: height of the button's cap.
    """
    facts = {Predicate("hand_empty") if held is None else Predicate("held", (held,))}
    cubes = {n: o for n, o in objects.items() if o.category == "cube"}
    for name, cube in cubes.items():
        if name != held:
            place = _place(cube, objects, held)
            if place is not None:
                facts.add(Predicate("in" if place in CONTAINERS else "on", (name, place)))
    occupied = {f.args[1] for f in facts if f.name in ("in", "on")}
    for name, thing in objects.items():
        if thing.category in ("cube", *CONTAINERS) and name not in occupied:
            facts.add(Predicate("clear", (name,)))
    if "drawer" in objects and (opening_m > OPEN_M or opening_m < CLOSED_M):
        facts.add(Predicate("open" if opening_m > OPEN_M else "closed", ("drawer",)))
    if "button" in objects and cap_top_m < PRESSED_TOP_M:
        facts.add(Predicate("pressed", ("button",)))
    return frozenset(facts)


def _place(cube: SceneObject, objects: Mapping[str, SceneObject], held: str | None) -> str | None:
    at = cube.pose.position
    for name, other in objects.items():
        if other.category == "cube" and name not in (cube.name, held):
            apart = at - other.pose.position
            if np.hypot(apart[0], apart[1]) < _ON_ASIDE_M and abs(apart[2] - CUBE_M) < _ON_HEIGHT_M:
                return name
    for name, other in objects.items():
        if other.category in CONTAINERS and inside(at, other):
            return name
    return "table" if at[2] < _RESTING_M else None


def inside(point: FloatArray, container: SceneObject) -> bool:
    """Whether a point lies in the room of a bowl, bin or drawer."""
    w, _, _, z = container.pose.quaternion
    yaw = 2 * np.arctan2(z, w)
    c, s = np.cos(yaw), np.sin(yaw)
    dx, dy, _ = point - container.pose.position
    x, y = c * dx + s * dy, c * dy - s * dx
    half_x, half_y, height = container.size[0] / 2, container.size[1] / 2, container.size[2]
    if not 0.0 < point[2] < height + _RIM_SLACK_M:
        return False
    if container.category == "bowl":
        return bool(np.hypot(x, y) < half_x - 0.008)
    return bool(abs(x) < half_x - 0.004 and abs(y) < half_y - 0.004)

"""What the skills of going somewhere ask of a quadruped: a guide for each sub-goal.

A place is a thing that perception has seen, or where an earlier step began, which is remembered
here by the step's id. Things are looked up anew while the robot goes, for they are seen better from
near.
"""

from __future__ import annotations

import numpy as np

from fmrl_robot.control.guide import (
    CLEARANCE_M,
    CRUISE_M_S,
    Guide,
    Straight,
    Tour,
    Turn,
    place_of,
    things,
)
from fmrl_robot.control.locomotion import heading_of
from fmrl_robot.control.route import rim
from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.skills.body_skills import SINCE, START, angle_rad, way_m
from fmrl_robot.types import FloatArray, RobotState, Scene, SubGoal

BEFORE_M = 0.55
"""From a thing's middle to that of a robot which stands before it."""
AROUND_M = 0.8
"""From a thing's middle to the way around it."""
AROUND_STOPS = 8
_RIM = 24
_PUSH_M, _PUSHES = 0.1, 40
"""By how much, and how often at most, a place on the way around is moved outward."""
REMEMBERED = 100
"""Steps whose beginnings are kept."""


class FloorSkills:
    """Makes guides, and remembers where steps began."""

    def __init__(self) -> None:
        self._began: dict[str, FloatArray] = {}

    def asks(self, subgoal: SubGoal) -> bool:
        """Whether a sub-goal goes somewhere, and not at a velocity for a time."""
        return subgoal.skill in ("go_to", "go_around", "turn") or (
            subgoal.skill == "walk" and subgoal.velocity is None
        )

    def remember(self, subgoal: SubGoal, state: RobotState) -> None:
        """Keep where a step begins; of a robot that does not know where it is, nothing."""
        if state.position is not None:
            self._began.pop(subgoal.id, None)
            self._began[subgoal.id] = np.array([*state.position[:2], heading_of(state)])
            while len(self._began) > REMEMBERED:
                del self._began[next(iter(self._began))]

    def guide(self, subgoal: SubGoal, state: RobotState, scene: Scene | None) -> Guide:
        """Return what brings the robot there.

        Raises:
            FmrlError: TARGET_NOT_SEEN, NO_PATH, OBSERVATION_STALE, or PARAMETER_OUT_OF_BOUNDS.
        """
        place_of(state)
        try:
            angle, way = angle_rad(subgoal), way_m(subgoal)
        except ValueError as error:
            raise FmrlError(str(error), ErrorCode.PARAMETER_OUT_OF_BOUNDS) from error
        if subgoal.skill == "walk":
            return Straight(state, np.array(way), CRUISE_M_S)
        if subgoal.skill == "turn" and not subgoal.target:
            return Turn(state, angle)
        if subgoal.target == START:
            return self._back(dict(subgoal.params).get(SINCE, ""))
        _seen(subgoal.target, scene)
        if subgoal.skill == "turn":
            return Tour(lambda *_: [], lambda s, now: _bearing(subgoal.target, s, now))
        if subgoal.skill == "go_to":
            return _to(subgoal.target)
        return _around(subgoal.target, state, scene)

    def _back(self, since: str) -> Guide:
        if since not in self._began:
            known = ", ".join(list(self._began)[-5:]) or "none"
            raise FmrlError(
                f"expected an earlier step whose beginning to go back to, got {since!r}; the last "
                f"ones are {known}",
                ErrorCode.TARGET_NOT_SEEN,
            )
        x, y, yaw = self._began[since].tolist()
        return Tour(lambda *_: [np.array([[x, y]])], lambda *_: yaw)


def _seen(name: str, scene: Scene | None) -> FloatArray:
    """Middle of a thing on the floor, m, shape (2,)."""
    thing = scene.find(name) if scene is not None else None
    if thing is None:
        names = ", ".join(o.name for o in scene.objects) if scene is not None else ""
        raise FmrlError(
            f"expected to have seen {name!r}, got {names or 'nothing'} in the scene; turn until "
            "the camera sees it",
            ErrorCode.TARGET_NOT_SEEN,
        )
    return thing.pose.position[:2]


def _bearing(name: str, state: RobotState, scene: Scene | None) -> float:
    ahead = _seen(name, scene) - place_of(state)
    return float(np.arctan2(ahead[1], ahead[0]))


def _to(name: str) -> Guide:
    """Anywhere before the thing, nose to it."""

    def stops(state: RobotState, scene: Scene | None) -> list[FloatArray]:
        at, here = _seen(name, scene), place_of(state)
        away = here - at
        # One of the places lies on the straight way.
        first = float(np.arctan2(away[1], away[0]))
        return [rim(at, BEFORE_M, _RIM, first)]

    return Tour(stops, lambda state, scene: _bearing(name, state, scene))


def _around(name: str, state: RobotState, scene: Scene | None) -> Guide:
    """Once around, counter-clockwise, from the side on which the robot is and back to it."""
    away = place_of(state) - _seen(name, scene)
    first = float(np.arctan2(away[1], away[0]))

    def stops(state: RobotState, scene: Scene | None) -> list[FloatArray]:
        at = _seen(name, scene)
        ring = rim(at, AROUND_M, AROUND_STOPS, first)
        others = np.array([c for c in things(scene, state) if np.linalg.norm(c - at) > 1e-6])
        return [_pushed(at, p, others.reshape(-1, 2))[None] for p in (*ring, ring[0])]

    return Tour(stops)


def _pushed(at: FloatArray, place: FloatArray, others: FloatArray) -> FloatArray:
    """A place on the way around something, moved outward until it is clear of all other things.

    Left out, it would leave a gap that is shorter to cross on the wrong side.
    """
    outward = (place - at) / np.linalg.norm(place - at)
    for _ in range(_PUSHES):
        if not len(others) or np.linalg.norm(others - place, axis=1).min() >= CLEARANCE_M:
            return place
        place = place + _PUSH_M * outward
    raise FmrlError(
        f"expected room to go around what stands at {np.round(at, 2).tolist()}, got other things "
        "all the way out; name another one",
        ErrorCode.NO_PATH,
    )

"""Guides: from where a quadruped believes that it is to the velocity that brings it on.

A guide answers each observation with a velocity for the policy that walks, and with none once it is
there. It knows the estimated pose and the things seen, whose places stand in the same frame.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from fmrl_robot.control.locomotion import heading_of
from fmrl_robot.control.route import clear, route
from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.types import FloatArray, RobotState, Scene, Velocity

CLEARANCE_M = 0.52
"""Between the middles of the robot and of a thing: half a trunk with its legs, and a marker."""
CRUISE_M_S, SLOW_M_S, TURN_RAD_S, SLOW_RAD_S = 0.6, 0.2, 0.8, 0.3
"""Greatest and least speed while under way; the policy does not do less than the least."""
GAIN, TURN_GAIN = 1.0, 1.5
"""From m to m/s and from rad to rad/s."""
KEEP = 2.0
"""So much harder a heading is kept than taken up: the policy turns little at small commands."""
ASIDE_RAD, AHEAD_RAD = 0.6, 0.15
"""A corner further off the nose than the one is turned to first, up to the other."""
CORNER_M, THERE_M, STEP_M, THERE_RAD = 0.2, 0.1, 0.03, 0.06
"""How near a corner, an end, the end of a straight way and a heading count as reached.

Nearer than THERE_M nobody gets for sure: turning on the spot leads as far aside."""
BLIND_S = 2.0
"""So long nobody need look while the robot walks: at cruising speed little more than a metre."""
REROUTE_S = 0.5
"""Things move, or are seen better: the way is looked for again as often."""


class Guide(Protocol):
    """Brings a robot somewhere."""

    def steer(self, state: RobotState, scene: Scene | None) -> Velocity | None:
        """The velocity from here; None: it is there. Raises FmrlError where there is no way."""
        ...

    @property
    def progress(self) -> float:
        """From 0 to 1."""
        ...


def wrapped(angle: float) -> float:
    """The same angle from -pi to pi."""
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


def place_of(state: RobotState) -> FloatArray:
    """Where the robot believes that it is, m, shape (2,).

    Raises:
        FmrlError: OBSERVATION_STALE; it believes nothing.
    """
    if state.position is None:
        raise FmrlError(
            "expected a robot that knows where it is, got no position; give its RobotSpec a "
            "leg_shape, and see that its IMU and its foot contacts are up",
            ErrorCode.OBSERVATION_STALE,
        )
    return state.position[:2]


def things(scene: Scene | None, state: RobotState) -> FloatArray:
    """Middles of what stands on the floor, m, shape (k, 2).

    Raises:
        FmrlError: OBSERVATION_STALE; nobody has looked for longer than a robot may walk blind.
    """
    age_s = np.inf if scene is None else state.stamp_s - scene.stamp_s
    if scene is None or age_s > BLIND_S:
        raise FmrlError(
            f"expected a scene not older than {BLIND_S:.0f} s to walk by, got one of "
            f"{age_s:.1f} s ago; is scene_node up, and does its camera send pictures?",
            ErrorCode.OBSERVATION_STALE,
        )
    found = [o.pose.position[:2] for o in scene.objects]
    return np.array(found, dtype=np.float64).reshape(-1, 2)


class Turn:
    """Turns on the spot by an angle, which may be more than once around."""

    def __init__(self, state: RobotState, angle_rad: float) -> None:
        """Counter-clockwise, from the heading of ``state``."""
        self._angle, self._left = angle_rad, angle_rad
        self._last = heading_of(state)

    @property
    def progress(self) -> float:
        """Share of the angle."""
        return float(np.clip(1 - abs(self._left) / max(abs(self._angle), 1e-9), 0.0, 1.0))

    def steer(self, state: RobotState, scene: Scene | None) -> Velocity | None:
        """See Guide."""
        del scene
        yaw = heading_of(state)
        self._left -= wrapped(yaw - self._last)
        self._last = yaw
        return None if abs(self._left) < THERE_RAD else Velocity(wz=_turn(self._left))


class Tour:
    """Goes through places one after the other, around what is in the way, and may turn at last."""

    def __init__(
        self,
        stops: Callable[[RobotState, Scene | None], list[FloatArray]],
        facing: Callable[[RobotState, Scene | None], float | None] = lambda *_: None,
    ) -> None:
        """Build it.

        Args:
            stops: the stops, each some places (n, 2) any of which will do; asked again while the
                first is not reached, for things may turn out to be elsewhere.
            facing: heading to end with, rad; None: any.
        """
        self._stops, self._facing = stops, facing
        self._done = self._total = 0
        self._way: FloatArray = np.zeros((0, 2))
        self._routed_s = -np.inf
        self._arrived = self._turns = False
        self._far_m = self._left_m = 1e-9

    @property
    def progress(self) -> float:
        """Share of the stops, and of the way to the next."""
        part = float(np.clip(1 - self._left_m / self._far_m, 0.0, 1.0))
        return min((self._done + part) / max(self._total, 1), 1.0)

    def steer(self, state: RobotState, scene: Scene | None) -> Velocity | None:
        """See Guide."""
        here, yaw = place_of(state), heading_of(state)
        if not self._arrived:
            self._look(state, scene, here)
            while len(self._way) and np.linalg.norm(self._way[0] - here) < self._near():
                self._way = self._way[1:]
                if not len(self._way):
                    self._done += 1
                    self._look(state, scene, here)
            if len(self._way):
                return self._towards(here, yaw)
            self._arrived = True
        heading = self._facing(state, scene)
        off = 0.0 if heading is None else wrapped(heading - yaw)
        return None if abs(off) < THERE_RAD else Velocity(wz=_turn(off))

    def _near(self) -> float:
        return THERE_M if len(self._way) == 1 and self._done + 1 == self._total else CORNER_M

    def _look(self, state: RobotState, scene: Scene | None, here: FloatArray) -> None:
        """Find the way to the stop that is next."""
        if len(self._way) and state.stamp_s - self._routed_s < REROUTE_S:
            return
        stops = self._stops(state, scene)
        self._total = len(stops)
        if self._done >= len(stops):
            self._way = np.zeros((0, 2))
            return
        fresh = not len(self._way)
        self._way = route(here, stops[self._done], things(scene, state), CLEARANCE_M)
        self._routed_s = state.stamp_s
        if fresh:
            self._far_m = max(self._length(here), 1e-9)

    def _length(self, here: FloatArray) -> float:
        points = np.concatenate([here[None], self._way])
        return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())

    def _towards(self, here: FloatArray, yaw: float) -> Velocity:
        ahead = self._way[0] - here
        off = wrapped(float(np.arctan2(ahead[1], ahead[0])) - yaw)
        self._left_m = self._length(here)
        speed = float(np.clip(GAIN * self._left_m, SLOW_M_S, CRUISE_M_S))
        if len(self._way) == 1 and self._left_m < CORNER_M:
            # So near, a direction says little: step there without turning.
            return Velocity(vx=speed * float(np.cos(off)), vy=speed * float(np.sin(off)))
        self._turns = abs(off) > (AHEAD_RAD if self._turns else ASIDE_RAD)
        if self._turns:
            return Velocity(wz=_turn(off))
        return Velocity(vx=speed * float(np.cos(off)), wz=_turn(off, 0.0))


class Straight:
    """Walks a distance in one direction of its body without turning."""

    def __init__(self, state: RobotState, way: FloatArray, speed_m_s: float = CRUISE_M_S) -> None:
        """From the pose of ``state`` by ``way``, forward and to the left, m, shape (2,)."""
        self._start, self._yaw = place_of(state).copy(), heading_of(state)
        c, s = np.cos(self._yaw), np.sin(self._yaw)
        turned = np.array([c * way[0] - s * way[1], s * way[0] + c * way[1]])
        self._far_m = float(np.linalg.norm(way))
        self._along = turned / max(self._far_m, 1e-9)
        self._speed_m_s, self._left_m = speed_m_s, self._far_m

    @property
    def end(self) -> FloatArray:
        """Where it leads, m, shape (2,)."""
        return self._start + self._far_m * self._along

    @property
    def progress(self) -> float:
        """Share of the distance."""
        return float(np.clip(1 - self._left_m / max(self._far_m, 1e-9), 0.0, 1.0))

    def steer(self, state: RobotState, scene: Scene | None) -> Velocity | None:
        """See Guide.

        Raises:
            FmrlError: NO_PATH; something is in the way.
        """
        here, yaw = place_of(state), heading_of(state)
        gone = here - self._start
        self._left_m = self._far_m - float(gone @ self._along)
        if self._left_m < STEP_M:
            return None
        self._watch(here, things(scene, state))
        across = self._along * float(gone @ self._along) - gone
        speed = float(np.clip(GAIN * self._left_m, SLOW_M_S, self._speed_m_s))
        vx, vy = speed * self._along + np.clip(GAIN * across, -SLOW_M_S, SLOW_M_S)
        c, s = np.cos(yaw), np.sin(yaw)
        return Velocity(
            vx=float(c * vx + s * vy),
            vy=float(c * vy - s * vx),
            wz=_turn(KEEP * wrapped(self._yaw - yaw), 0.0),
        )

    def _watch(self, here: FloatArray, centres: FloatArray) -> None:
        apart = np.linalg.norm(centres - here, axis=1)
        if not clear(here, self.end[None], centres, np.minimum(CLEARANCE_M, apart))[0]:
            raise FmrlError(
                f"expected {self._left_m:.1f} m more without anything in the way, got something "
                "in it; go to a place instead, or elsewhere",
                ErrorCode.NO_PATH,
            )


def _turn(off_rad: float, least: float = SLOW_RAD_S) -> float:
    """A turn rate that takes an error away, rad/s."""
    rate = float(np.clip(TURN_GAIN * off_rad, -TURN_RAD_S, TURN_RAD_S))
    return rate if abs(rate) >= least else float(np.copysign(least, rate))

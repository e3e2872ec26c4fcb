"""How far odometry is off after walks of ten metres, on level and on rough ground.

Each walk is carried out once, and its measurements are given to the odometry twice: as the
simulator measures, and as sensors do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fmrl_robot.control.quadruped import QuadrupedController
from fmrl_robot.estimation import odometry_for
from fmrl_robot.registry import SCENES
from fmrl_robot.robots import robot as find_robot
from fmrl_robot.safety import Gate
from fmrl_robot.types import FloatArray, RobotState, Scene, SubGoal, SubGoalKind, Velocity
from fmrl_sim.body import MujocoBody
from fmrl_sim.lockstep import Loop

WAY_M, SPEEDS_M_S, TURN_RAD_S = 10.0, (0.4, 0.8), 0.1
GROUNDS = {"level": "ground", "rough": "rough"}
"""Scenes by what they are called."""
JOINT_RAD, JOINT_RAD_S, TILT_RAD = 0.005, 0.05, 0.005
"""Of sensors: standard deviations of a joint's angle (as an offset too), speed, and of attitude."""
YAW_RAD_S = 0.0009
"""Of the drift of yaw: three degrees a minute."""
CONTACT = 0.01
"""Share of contacts that are told wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Walk:
    """One walk."""

    robot: str
    ground: str
    seed: int


def attempt(walk: Walk) -> dict[str, Any]:
    """Walk, and tell how far off it is: error over way, by sensors."""
    spec, rng = find_robot(walk.robot), np.random.default_rng(walk.seed)
    gate = Gate(spec)
    body = MujocoBody(SCENES.load(GROUNDS[walk.ground])(walk.robot), gate, seed=walk.seed)
    states: list[RobotState] = []
    truth: list[FloatArray] = []

    def on_tick(body: MujocoBody, state: RobotState) -> None:
        states.append(state)
        truth.append(body.data.qpos[:2].copy())

    loop = Loop(body, gate, QuadrupedController(spec), lambda b: Scene(stamp_s=b.now), on_tick)
    loop.idle(2.0)
    begun = len(truth)
    speed = float(rng.uniform(*SPEEDS_M_S))
    turn = float(rng.uniform(-TURN_RAD_S, TURN_RAD_S)) if walk.ground == "level" else 0.0
    goal = SubGoal(
        id="1",
        kind=SubGoalKind.SKILL,
        skill="walk",
        velocity=Velocity(vx=speed, wz=turn),
        timeout_s=90.0,
    )

    def far_enough() -> bool:
        way = np.diff(np.array(truth[begun::25]).reshape(-1, 2), axis=0)
        return float(np.linalg.norm(way, axis=1).sum()) >= WAY_M

    ended = loop.execute(goal, far_enough)
    way_m = float(np.linalg.norm(np.diff(np.array(truth[begun::25]), axis=0), axis=1).sum())
    gone = truth[-1] - truth[begun]
    found = {"walk": walk, "fell": ended is not None, "way_m": way_m}
    for name, some in (("ideal", states), ("sensors", _spoilt(states, rng))):
        odometry = odometry_for(spec)
        assert odometry is not None  # noqa: S101  (quadrupeds of this project have leg shapes)
        at = [odometry.locate(state).position for state in some]
        first, last = at[begun], at[-1]
        assert first is not None and last is not None  # noqa: S101  (they were located)
        found[name] = float(np.linalg.norm((last - first)[:2] - gone))
    return found


def _spoilt(states: list[RobotState], rng: np.random.Generator) -> list[RobotState]:
    """The same as sensors would have it."""
    offset = rng.normal(0.0, JOINT_RAD, 12)
    drift = float(rng.normal(0.0, YAW_RAD_S))
    found: list[RobotState] = []
    for state in states:
        assert state.quaternion is not None and state.contacts is not None  # noqa: S101
        angle = np.array([*rng.normal(0.0, TILT_RAD, 2), drift * state.stamp_s])
        found.append(
            replace(
                state,
                q=state.q + offset + rng.normal(0.0, JOINT_RAD / 2, 12),
                dq=state.dq + rng.normal(0.0, JOINT_RAD_S, 12),
                quaternion=_rotated(state.quaternion, angle),
                contacts=state.contacts ^ (rng.random(4) < CONTACT),
            )
        )
    return found


def _rotated(wxyz: FloatArray, angle: FloatArray) -> FloatArray:
    """A quaternion turned by a small rotation vector in the world."""
    w, x, y, z = wxyz
    a, b, c = 0.5 * angle
    turned = np.array(
        [
            w - a * x - b * y - c * z,
            x + a * w + b * z - c * y,
            y + b * w + c * x - a * z,
            z + c * w + a * y - b * x,
        ]
    )
    return turned / np.linalg.norm(turned)


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Median and 95th percentile of the error, in per cent of the way."""
    rows = [row for row in found if not row["fell"]]
    percent = {
        name: [100.0 * row[name] / row["way_m"] for row in rows] for name in ("ideal", "sensors")
    }
    return {
        "robot": found[0]["walk"].robot,
        "ground": found[0]["walk"].ground,
        "walks": len(rows),
        "fell": len(found) - len(rows),
        "way_m": round(float(np.mean([row["way_m"] for row in rows])), 2),
        **{
            f"{name}_drift_percent": {
                "median": round(float(np.median(p)), 2),
                "p95": round(float(np.percentile(p, 95)), 2),
            }
            for name, p in percent.items()
        },
    }

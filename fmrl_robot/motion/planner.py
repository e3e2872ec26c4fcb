"""Collision-free transits: RRT-Connect in joint space, shortcuts, straight approaches.

Implements MotionPlanner. A direct line is tried first and mostly does; the sampling planner is for
when something stands in between. A start that touches (a hand that was stopped beside a cube) is
first lifted straight up, which is how a hand leaves a table.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ompl import base as ob
from ompl import geometric as og
from ompl import util as ou

from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.motion.collision import Box, CollisionModel
from fmrl_robot.motion.kinematics import ARM_JOINTS, ArmKinematics, Unreachable
from fmrl_robot.motion.obstacles import obstacles
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray, Pose, Scene

_RESOLUTION_RAD = 0.02
"""Largest joint change between two checked configurations."""
_LIFT_STEP_M, _LIFT_STEPS = 0.02, 10
_SHORTCUTS = 40


class NoPath(FmrlError):
    """Nothing leads there without a collision."""

    default_code = ErrorCode.NO_PATH


class ArmPlanner:
    """Plans transits of one arm; not to be used from two threads at once."""

    def __init__(
        self, spec: RobotSpec, menagerie: Path | None = None, time_limit_s: float = 2.0
    ) -> None:
        self.spec = spec
        self.kinematics = ArmKinematics(spec, menagerie)
        self.collision = CollisionModel(spec, menagerie)
        self.time_limit_s = time_limit_s
        ou.setLogLevel(ou.LogLevel.LOG_WARN)

    def plan(
        self, q_start: FloatArray, goal: Pose, scene: Scene, held: str | None = None
    ) -> FloatArray:
        """Return waypoints (steps, n) from ``q_start`` to ``goal``; ``held`` rides in the hand.

        Raises:
            FmrlError: NO_PATH, the goal being out of reach, in collision or walled in.
        """
        return self.plan_any(q_start, (goal,), scene, held)

    def plan_any(
        self,
        q_start: FloatArray,
        goals: tuple[Pose, ...],
        scene: Scene,
        held: str | None = None,
        ignore: tuple[str, ...] = (),
    ) -> FloatArray:
        """As ``plan``, to whichever of ``goals`` is nearest in joint space and reachable."""
        without = (*ignore, held) if held else ignore
        self.collision.set_obstacles(obstacles(scene, without))
        carried = scene.find(held) if held else None
        half = np.full(3, 0.02) if carried is None else carried.size / 2
        self.collision.carry(Box(center=np.zeros(3), half=half) if held else None)
        lift = self._escape(q_start)
        begin = lift[-1]
        rest, problems = None, []
        for q_goal in self._candidates(begin, goals, problems):
            rest = self._connect(begin, q_goal)
            if rest is not None:
                break
            problems.append("walled in")
        if rest is None:
            raise NoPath(
                f"expected a free path to one of {len(goals)} poses near "
                f"{np.round(goals[0].position, 3).tolist()} m, got: {', '.join(problems)}; "
                "move what stands in the way or choose another target"
            )
        return np.concatenate([lift, rest[1:]])

    def straight(self, q_start: FloatArray, goal: Pose, step_m: float = 0.02) -> FloatArray:
        """Return waypoints (steps, n) that move the tool on a line to ``goal``, unchecked.

        Raises:
            Unreachable: some point of the line is out of reach.
        """
        start = self.kinematics.pose(q_start)
        count = max(1, int(np.ceil(np.linalg.norm(goal.position - start.position) / step_m)))
        waypoints, q = [q_start], q_start
        for i in range(1, count + 1):
            share = i / count
            blend = (1 - share) * start.quaternion + share * goal.quaternion * np.sign(
                start.quaternion @ goal.quaternion or 1.0
            )
            pose = Pose(
                position=start.position + share * (goal.position - start.position),
                quaternion=blend / np.linalg.norm(blend),
            )
            q = self.kinematics.solve(pose, q, starts=1)
            waypoints.append(q)
        return np.stack(waypoints)

    def _escape(self, q_start: FloatArray) -> FloatArray:
        """Return waypoints from ``q_start`` straight up to the first free configuration.

        Where lifting never gets free, the start is taken as it is: the arm is there already, and a
        path out of a shallow overlap (an estimate a few millimetres off) is better than none.
        """
        if self.collision.free(q_start):
            return q_start[None]
        pose, waypoints, q = self.kinematics.pose(q_start), [q_start], q_start
        for i in range(1, _LIFT_STEPS + 1):
            up = pose.position + np.array([0.0, 0.0, i * _LIFT_STEP_M])
            try:
                q = self.kinematics.solve(Pose(position=up, quaternion=pose.quaternion), q)
            except Unreachable:
                break
            waypoints.append(q)
            if self.collision.free(q):
                return np.stack(waypoints)
        raise NoPath(
            "expected to get free by lifting the hand, but it still touches "
            f"{self.collision.touches(q)!r}; clear the hand by hand"
        )

    def _candidates(
        self, q_start: FloatArray, goals: tuple[Pose, ...], problems: list[str]
    ) -> list[FloatArray]:
        found: list[FloatArray] = []
        for goal in goals:
            try:
                q = self.kinematics.solve(goal, q_start)
            except Unreachable:
                problems.append("out of reach")
                continue
            if self.collision.free(q):
                found.append(q)
            else:
                problems.append(f"touching {self.collision.touches(q)[0]} there")
        return sorted(found, key=lambda q: float(np.abs(q - q_start)[:ARM_JOINTS].max()))

    def _clear(self, a: FloatArray, b: FloatArray) -> bool:
        """Whether the straight joint-space segment is free, its start taken for granted."""
        count = max(1, int(np.ceil(np.abs(b - a).max() / _RESOLUTION_RAD)))
        # Middle first: collisions sit in the middle more often than at the ends.
        order = sorted(range(1, count + 1), key=lambda i: abs(i - count / 2))
        return all(self.collision.free(a + (b - a) * (i / count)) for i in order)

    def _connect(self, start: FloatArray, goal: FloatArray) -> FloatArray | None:
        if self._clear(start, goal):
            return np.stack([start, goal])
        path = self._search(start, goal)
        return None if path is None else self._shortcut(path)

    def _search(self, start: FloatArray, goal: FloatArray) -> FloatArray | None:
        space = ob.RealVectorStateSpace(ARM_JOINTS)
        bounds = ob.RealVectorBounds(ARM_JOINTS)
        for i in range(ARM_JOINTS):
            bounds.setLow(i, float(self.spec.lower[i]))
            bounds.setHigh(i, float(self.spec.upper[i]))
        space.setBounds(bounds)
        setup = og.SimpleSetup(space)
        q = start.copy()

        def valid(state: Any) -> bool:
            q[:ARM_JOINTS] = [state[i] for i in range(ARM_JOINTS)]
            return self.collision.free(q)

        setup.setStateValidityChecker(valid)
        information = setup.getSpaceInformation()
        information.setStateValidityCheckingResolution(_RESOLUTION_RAD / space.getMaximumExtent())
        ends: list[Any] = []
        for values in (start, goal):
            state: Any = space.allocState()
            for i in range(ARM_JOINTS):
                state[i] = float(values[i])
            ends.append(state)
        setup.setStartAndGoalStates(ends[0], ends[1])
        planner = og.RRTConnect(information)
        planner.setRange(0.6)
        setup.setPlanner(planner)
        solved = setup.solve(self.time_limit_s)
        if not solved or not setup.haveExactSolutionPath():
            return None
        states: list[Any] = setup.getSolutionPath().getStates()
        arm = np.array([[s[i] for i in range(ARM_JOINTS)] for s in states])
        finger = np.full((len(arm), 1), start[-1])
        return np.concatenate([arm, finger], axis=1)

    def _shortcut(self, path: FloatArray) -> FloatArray:
        """Cut corners between random points of the path, reproducibly."""
        rng = np.random.default_rng(0)
        points = list(path)
        for _ in range(_SHORTCUTS):
            if len(points) < 3:
                break
            i, j = sorted(rng.choice(len(points), 2, replace=False))
            if j - i > 1 and self._clear(points[i], points[j]):
                points = points[: i + 1] + points[j:]
                continue
            # Between vertices: cut one corner part of the way.
            k = int(rng.integers(1, len(points) - 1))
            s, t = rng.uniform(0.2, 0.9, 2)
            a = points[k] + s * (points[k - 1] - points[k])
            b = points[k] + t * (points[k + 1] - points[k])
            if self._clear(a, b):
                points = [*points[:k], a, b, *points[k + 1 :]]
        return np.stack(points)

"""The way to a region: planned while the arm waits, timed, followed with an eye on the target."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from fmrl_robot.control.local_skill import wrap
from fmrl_robot.control.regions import Region
from fmrl_robot.errors import FmrlError
from fmrl_robot.motion.kinematics import ARM_JOINTS, ArmKinematics
from fmrl_robot.motion.planner import ArmPlanner
from fmrl_robot.motion.servo import yaw_of
from fmrl_robot.motion.timing import Trajectory, time_path
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray, Scene

_SPEED = 0.55
"""Share of the joints' greatest speeds."""
_ACCELERATION = 5.0
"""rad/s2."""
_SETTLED_RAD, _SETTLE_S = 0.01, 0.4
_STRAY_M = 0.03
"""Estimates of the target farther than this from the first are of something else."""


class Transit:
    """One way at a time."""

    def __init__(
        self, spec: RobotSpec, planner: ArmPlanner, kinematics: ArmKinematics, *, inline: bool
    ) -> None:
        """Go nowhere yet; ``inline`` plans in the caller's thread."""
        self._spec, self._planner, self._kinematics = spec, planner, kinematics
        self._worker = None if inline else ThreadPoolExecutor(1, "transit")
        self.target: FloatArray = np.zeros(4)
        """Position and yaw, shape (4,), that the path's end is a start for."""

    def begin(
        self, q: FloatArray, region: Region, scene: Scene, *, seen: str, held: str | None
    ) -> None:
        """Plan from ``q`` to any start of the region.

        Args:
            q: all joints, shape (num_joints,), the fingers as they will arrive.
            region: where to.
            scene: what is in the way.
            seen: name of what is watched on the way, for its position.
            held: name of what is between the fingers.
        """
        self._region, self._scene, self._seen = region, scene, seen
        self._views: list[FloatArray] = []
        args = (q, region.starts, scene, held)
        self._pending: Future[FloatArray] = Future()
        if self._worker is not None:
            self._pending = self._worker.submit(self._planner.plan_any, *args)
            return
        try:
            self._pending.set_result(self._planner.plan_any(*args))
        except FmrlError as error:
            self._pending.set_exception(error)

    def planned(self) -> bool:
        """Whether the path is there to be followed.

        Raises:
            FmrlError: there is none.
        """
        if not self._pending.done():
            return False
        waypoints, spec = self._pending.result(), self._spec
        self._path: Trajectory = time_path(
            waypoints,
            _SPEED * spec.velocity,
            np.full(spec.num_joints, _ACCELERATION),
            spec.command_dt_s,
        )
        # The target whose start the path ends in.
        _, rotation = self._kinematics.tool(waypoints[-1])
        turn = wrap(self._region.targets[:, 3] - yaw_of(rotation))
        self.target = self._region.targets[int(np.abs(turn).argmin())].copy()
        return True

    def look(self, scene: Scene | None) -> None:
        """Collect an estimate of the target's position, while nothing hides it."""
        if scene is None or scene is self._scene:
            return
        self._scene = scene
        item = scene.find(self._seen)
        if item is not None and item.visible:
            self._views.append(item.pose.position.copy())

    def at(self, tick: int) -> FloatArray:
        """Where the arm's joints belong, so many command periods after the start."""
        return self._path.positions[min(tick, self._last), :ARM_JOINTS]

    def arrived(self, tick: int, off_rad: float) -> bool:
        """Whether the path is over, and the arm, so far from its command, settled or waited for."""
        waited = (tick - self._last) * self._spec.command_dt_s
        return tick >= self._last and (off_rad < _SETTLED_RAD or waited > _SETTLE_S)

    def refine(self) -> None:
        """Move the target by the median of how later estimates differ from the first."""
        if len(self._views) < 2:
            return
        views = np.stack(self._views)
        shift = np.median(views[1:], axis=0) - views[0]
        if np.linalg.norm(shift) < _STRAY_M:
            self.target[:3] += shift

    @property
    def _last(self) -> int:
        return len(self._path.positions) - 1

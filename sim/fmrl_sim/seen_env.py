"""Small worlds in which a policy acts by numbers and is looked at: for rewards that only see.

Nothing in here knows a reward. A step changes the state a little, ``picture`` draws it, ``holds``
is ground truth and only judges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Protocol

import mujoco
import numpy as np

from fmrl_robot.errors import ConfigError
from fmrl_robot.types import FloatArray, Image, Predicate
from fmrl_sim.frames.looks import CELL_M
from fmrl_sim.ground_truth import ABOVE_CUBE_M, ABOVE_HIGH_M, ABOVE_LOW_M, CUBES, GroundTruth
from fmrl_sim.postures import POSTURES, posture, sitting_margin
from fmrl_sim.render import SceneRenderer
from fmrl_sim.scenes import ground, tabletop
from fmrl_sim.scenes.base import SceneModel
from fmrl_sim.servos import Servos


class SeenEnv(Protocol):
    """One world; actions lie within -1 and 1."""

    observations: int
    actions: int
    steps: int
    """Of an episode, which nothing ends before."""
    cameras: Sequence[str]
    """That there are, the one that is used by default first."""

    def reset(self, rng: np.random.Generator) -> FloatArray:
        """Begin an episode; return what is observed, shape (observations,)."""
        ...

    def step(self, action: FloatArray) -> FloatArray:
        """Act, shape (actions,)."""
        ...

    def observed(self) -> FloatArray:
        """What is observed now, shape (observations,)."""
        ...

    def picture(self, camera: str = "") -> Image:
        """What a camera sees, RGB, shape (size, size, 3); by default its first."""
        ...

    def facts(self) -> frozenset[Predicate]:
        """Everything that is true now."""
        ...

    def margin(self, fact: Predicate) -> float:
        """How far a fact is from turning, by the nearest of its conditions; above 0 it holds.

        Raises:
            ConfigError: this world does not measure it.
        """
        ...

    def holds(self, fact: Predicate) -> bool:
        """Whether a fact is true now."""
        ...


@cache
def _shared(build: Callable[[], SceneModel], size: int) -> tuple[SceneModel, SceneRenderer]:
    """Building a scene and a renderer takes seconds: all worlds of a kind in a process share them.

    A world is a state; what it writes into the model, its motors' targets, it writes in every step.
    """
    scene = build()
    return scene, SceneRenderer(scene.model, size, size, cell_m=CELL_M)


class ToolEnv:
    """The Panda's tool moves by up to STEP_M along each axis; nothing is touched."""

    STEP_M = 0.05
    observations, actions, steps = 6, 3, 16
    cameras = ("front", "wrist")

    def __init__(self, size: int = 128) -> None:
        self._scene, self._renderer = _shared(tabletop.build, size)
        self._truth = GroundTruth(self._scene)
        self._data = self._scene.new_data(0)
        joints = [self._scene.model.joint(n) for n in self._scene.robot.model_joints[:7]]
        self._qpos = np.array([j.qposadr[0] for j in joints])
        self._dofs = np.array([j.dofadr[0] for j in joints])
        self._site = self._scene.model.site("tcp").id

    def reset(self, rng: np.random.Generator) -> FloatArray:
        """A scene of its own with the tool anywhere over the table."""
        self._data = self._scene.new_data(int(rng.integers(2**31)))
        mujoco.mj_forward(self._scene.model, self._data)
        goal = rng.uniform([0.3, -0.3, 0.12], [0.7, 0.3, 0.4])
        for _ in range(30):
            self._move(np.clip(goal - self._tool(), -self.STEP_M, self.STEP_M))
        return self.observed()

    def step(self, action: FloatArray) -> FloatArray:
        """Move the tool; it keeps its direction and stays over the table."""
        low, high = np.array([0.25, -0.4, 0.06]), np.array([0.75, 0.4, 0.45])
        wanted = np.clip(self._tool() + self.STEP_M * np.clip(action, -1, 1), low, high)
        self._move(wanted - self._tool())
        return self.observed()

    def picture(self, camera: str = "") -> Image:
        """The picture of the fixed camera, or of that on the hand."""
        return self._renderer.rgb(self._data, camera or self.cameras[0])

    def facts(self) -> frozenset[Predicate]:
        """Those of the table and of the gripper."""
        return self._truth.facts(self._data) | self._truth.gripper_facts(self._data)

    def holds(self, fact: Predicate) -> bool:
        """Any fact of the table and of the gripper."""
        return fact in self.facts()

    def margin(self, fact: Predicate) -> float:
        """Of ``above(gripper, CUBE)``, in m."""
        if fact.name != "above" or fact.args[-1] not in CUBES:
            raise ConfigError(f"expected above(gripper, one of {', '.join(CUBES)}), got {fact}")
        apart = self._tool() - self._data.body(fact.args[-1]).xpos
        aside = float(np.linalg.norm(apart[:2]))
        return min(ABOVE_CUBE_M - aside, float(apart[2]) - ABOVE_LOW_M,
                   ABOVE_HIGH_M - float(apart[2]))  # fmt: skip

    def _tool(self) -> FloatArray:
        return self._data.site_xpos[self._site].copy()

    def observed(self) -> FloatArray:
        """Where the tool is, and where from it the red cube, in m."""
        tool = self._tool()
        return np.concatenate([tool, self._data.body("red_cube").xpos - tool])

    def _move(self, by: FloatArray) -> None:
        """Shift the tool by damped least squares."""
        model, data = self._scene.model, self._data
        jacobian = np.zeros((6, model.nv))
        mujoco.mj_jacSite(model, data, jacobian[:3], jacobian[3:], self._site)
        arm = jacobian[:, self._dofs]
        target = np.concatenate([by, np.zeros(3)])
        data.qpos[self._qpos] += arm.T @ np.linalg.solve(arm @ arm.T + 1e-4 * np.eye(6), target)
        mujoco.mj_forward(model, data)


class PostureEnv:
    """Go2's servos follow targets for front and rear legs that a step changes a little."""

    STEP_RAD, SETTLE = 0.35, 50
    observations, actions, steps = 20, 4, 12
    cameras = ("follow",)

    def __init__(self, size: int = 128) -> None:
        self._scene, self._renderer = _shared(ground.build, size)
        self._data = self._scene.new_data(0)
        self._servos = Servos(self._scene.model, self._scene.robot)
        self._joints = [self._scene.model.joint(n) for n in self._scene.robot.model_joints]
        self._target = np.zeros(4)

    def reset(self, rng: np.random.Generator) -> FloatArray:
        """Standing, turned anyhow."""
        self._data = self._scene.new_data(int(rng.integers(2**31)))
        yaw = rng.uniform(-np.pi, np.pi)
        self._data.qpos[3:7] = np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)
        default = self._scene.robot.default.reshape(4, 3)
        self._target = np.concatenate([default[0, 1:], default[2, 1:]])
        self._settle()
        return self.observed()

    def step(self, action: FloatArray) -> FloatArray:
        """Change the targets of thigh and calf, front and rear, and let the robot follow."""
        spec = self._scene.robot
        limits = np.stack([spec.lower.reshape(4, 3), spec.upper.reshape(4, 3)])
        low, high = (np.concatenate([bound[0, 1:], bound[2, 1:]]) for bound in limits)
        wanted = self._target + self.STEP_RAD * np.clip(action, -1, 1)
        self._target = np.clip(wanted, low, high)
        self._settle()
        return self.observed()

    def picture(self, camera: str = "") -> Image:
        """The following camera's picture."""
        return self._renderer.rgb(self._data, camera or self.cameras[0])

    def facts(self) -> frozenset[Predicate]:
        """The posture, where it is one."""
        found = posture(self._data, self._scene.robot.base_body)
        return frozenset({Predicate(found, ("robot",))} if found else ())

    def margin(self, fact: Predicate) -> float:
        """Of ``sitting(robot)``, in spreads of its conditions."""
        if fact.name != "sitting":
            raise ConfigError(f"expected sitting(robot), got {fact}")
        return sitting_margin(self._data, self._scene.robot.base_body)

    def holds(self, fact: Predicate) -> bool:
        """Postures by geometry.

        Raises:
            ConfigError: the fact is no posture that has a geometry here.
        """
        if fact.name not in POSTURES:
            raise ConfigError(f"expected one of {', '.join(POSTURES)}, got {fact.name!r}")
        return posture(self._data, self._scene.robot.base_body) == fact.name

    def _settle(self) -> None:
        legs = np.zeros((4, 3))
        legs[:2, 1:], legs[2:, 1:] = self._target[:2], self._target[2:]
        self._servos.hold(self._data, legs.reshape(-1))
        mujoco.mj_step(self._scene.model, self._data, nstep=self.SETTLE)

    def observed(self) -> FloatArray:
        """Joints, the base's direction upwards and height, and targets."""
        q = np.array([self._data.qpos[j.qposadr[0]] for j in self._joints])
        axes = self._data.body(self._scene.robot.base_body).xmat.reshape(3, 3)
        return np.concatenate([q, axes[2], [self._data.qpos[2]], self._target])

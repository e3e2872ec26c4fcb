"""A task on the arm without ROS: body, gate, scene and controller stepped in turn, no clock.

For evaluating and debugging controllers far faster than real time. The scene is ground truth with
noise as a camera has it, or any function of the body.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fmrl_robot.control.supervisor import Supervisor
from fmrl_robot.errors import FmrlError
from fmrl_robot.motion.obstacles import yaw_of_pose
from fmrl_robot.protocols import Controller
from fmrl_robot.safety import Gate
from fmrl_robot.types import (
    FloatArray,
    Outcome,
    Pose,
    Predicate,
    RobotState,
    Scene,
    SceneObject,
    SubGoal,
    SubGoalKind,
)
from fmrl_sim.body import TICK_S, MujocoBody
from fmrl_sim.faults import Fault
from fmrl_sim.scenes.base import SceneModel, SceneOptions
from fmrl_sim.true_scene import true_scene

SCENE_PERIOD_S = 0.1

SceneProvider = Callable[[MujocoBody], Scene]


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneNoise:
    """How wrong a camera's estimates are, standard deviations."""

    position_m: float = 0.003
    yaw_rad: float = 0.04


class NoisyTruth:
    """Ground truth plus noise: an offset that stays for a while, fresh jitter on top."""

    def __init__(self, seed: int, noise: SceneNoise | None = None) -> None:
        self._rng = np.random.default_rng(seed)
        self._noise = noise or SceneNoise()
        self._bias: dict[str, FloatArray] = {}
        self._seen: dict[str, FloatArray] = {}

    def __call__(self, body: MujocoBody) -> Scene:
        """Look once."""
        scene = true_scene(body)
        return replace(scene, objects=tuple(self._blur(item) for item in scene.objects))

    def _blur(self, item: SceneObject) -> SceneObject:
        offset = self._offset(item.name, item.pose.position)
        yaw = yaw_of_pose(item.pose) + offset[3]
        pose = Pose(
            position=item.pose.position + offset[:3],
            quaternion=np.array([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)]),
        )
        return replace(item, pose=pose)

    def _offset(self, name: str, position: FloatArray) -> FloatArray:
        """Constant while a thing stays where it is, drawn anew when it has moved."""
        scale = np.array([*[self._noise.position_m] * 3, self._noise.yaw_rad])
        scale[2] /= 2
        last = self._seen.get(name)
        if last is None or np.linalg.norm(position - last) > 0.01:
            self._bias[name] = self._rng.normal(0.0, 1.0, 4) * scale
            self._seen[name] = position.copy()
        return self._bias[name] + 0.3 * self._rng.normal(0.0, 1.0, 4) * scale


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """How one sub-goal went."""

    subgoal: SubGoal
    outcome: Outcome
    duration_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """How one task went."""

    steps: tuple[Step, ...]
    success: bool
    """By ground truth, after a second of rest."""
    refusals: int
    """Commands that the gate refused."""


def region_subgoal(text: str) -> SubGoal:
    """Read ``skill target until predicate``, the form in which scripted plans are written."""
    call, _, condition = text.partition(" until ")
    skill, _, target = call.partition(" ")
    return SubGoal(
        id=text,
        kind=SubGoalKind.REGION,
        skill=skill,
        target=target,
        termination=Predicate.parse(condition),
        text=condition,
    )


def run_plan(
    scene_model: SceneModel,
    controller: Controller,
    plan: Sequence[SubGoal],
    goal: Sequence[Predicate],
    *,
    seed: int,
    options: SceneOptions | None = None,
    provider: SceneProvider | None = None,
    retries: int = 2,
    on_tick: Callable[[MujocoBody, RobotState], None] | None = None,
    fault: Fault | None = None,
    body_kind: type[MujocoBody] = MujocoBody,
) -> Run:
    """Carry out ``plan`` in the scene of ``seed`` and judge ``goal`` by ground truth.

    A failed step is tried again from the last grasp on, at most ``retries`` times in all; the
    executive does the same by asking its planner. ``fault`` spoils the run on purpose;
    ``body_kind`` is whose physics it is.
    """
    gate = Gate(scene_model.robot)
    body = body_kind(scene_model, gate, seed=seed, options=options, fault=fault)
    _, lease, _ = gate.acquire("lockstep")
    supervisor = Supervisor(controller)
    look = provider or NoisyTruth(seed)
    loop = _Loop(body, supervisor, look, lease, on_tick)
    loop.idle(0.2)
    steps: list[Step] = []
    i = 0
    while i < len(plan):
        began = body.now
        outcome = loop.execute(plan[i])
        steps.append(Step(subgoal=plan[i], outcome=outcome, duration_s=body.now - began))
        if outcome.success:
            i += 1
            continue
        if retries == 0:
            break
        retries -= 1
        i = loop.resume(plan, i)
    loop.idle(1.0)
    success = body.holds(goal)
    return Run(steps=tuple(steps), success=success, refusals=gate.status().refused)


class _Loop:
    def __init__(
        self,
        body: MujocoBody,
        supervisor: Supervisor,
        look: SceneProvider,
        lease: str,
        on_tick: Callable[[MujocoBody, RobotState], None] | None,
    ) -> None:
        self._body, self._supervisor, self._look = body, supervisor, look
        self._lease, self._on_tick = lease, on_tick
        self._scene = look(body)
        self._ticks = round(body.robot.command_dt_s / TICK_S)

    def _tick(self) -> Outcome | None:
        body = self._body
        state = body.read()
        if state.stamp_s - self._scene.stamp_s >= SCENE_PERIOD_S - 1e-9:
            self._scene = self._look(body)
        command, ended = self._supervisor.tick(state, self._scene)
        body.submit(replace(command, lease=self._lease))
        if self._on_tick is not None:
            self._on_tick(body, state)
        for _ in range(self._ticks):
            body.tick()
        return ended

    def idle(self, duration_s: float) -> None:
        for _ in range(round(duration_s / self._body.robot.command_dt_s)):
            self._tick()

    def execute(self, subgoal: SubGoal) -> Outcome:
        try:
            self._supervisor.begin(subgoal, self._scene)
        except FmrlError as error:
            return Outcome(success=False, error_code=int(error.code), message=str(error))
        while True:
            ended = self._tick()
            if ended is not None:
                return ended

    def resume(self, plan: Sequence[SubGoal], failed: int) -> int:
        """Return the step to go on with: the last grasp, where a place has lost its object."""
        wanted = plan[failed].termination
        if plan[failed].skill != "place" or wanted is None:
            return failed
        cube = wanted.args[0]
        self.idle(0.5)
        if Predicate("held", (cube,)) in self._scene.predicates:
            return failed
        grasps = [j for j in range(failed) if plan[j].skill == "grasp"]
        return grasps[-1] if grasps else failed

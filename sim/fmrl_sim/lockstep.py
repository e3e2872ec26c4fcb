"""The loop of a graph without ROS: body, gate, scene and controller stepped in turn, no clock.

For evaluating and debugging controllers far faster than real time. The scene is ground truth with
noise as a camera has it, or any function of the body. The controller hears the gate as it does in a
graph, so that stops and re-arming can be tried too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fmrl_robot.control.supervisor import Supervisor
from fmrl_robot.errors import FmrlError
from fmrl_robot.estimation import odometry_for
from fmrl_robot.motion.obstacles import yaw_of_pose
from fmrl_robot.protocols import Controller
from fmrl_robot.safety import Gate
from fmrl_robot.types import (
    FloatArray,
    JointCommand,
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
    loop = Loop(body, gate, controller, provider or NoisyTruth(seed), on_tick)
    loop.idle(0.2)
    steps = loop.carry_out(plan, retries)
    loop.idle(1.0)
    success = body.holds(goal)
    return Run(steps=steps, success=success, refusals=gate.status().refused)


class Loop:
    """One robot, its gate and its controller, a command period at a time."""

    def __init__(
        self,
        body: MujocoBody,
        gate: Gate,
        controller: Controller,
        look: SceneProvider,
        on_tick: Callable[[MujocoBody, RobotState], None] | None = None,
    ) -> None:
        """Begin with a controller that holds the lease."""
        self.body, self.gate, self._look, self._on_tick = body, gate, look, on_tick
        self.delay_s = 0.0
        """How long commands are under way from now on."""
        self.mute = False
        """Whether commands are lost."""
        self.scene = look(body)
        self._ticks = round(body.robot.command_dt_s / TICK_S)
        self.restart(controller)

    def restart(self, controller: Controller) -> None:
        """Put another controller in the place of one that died."""
        self.supervisor = Supervisor(controller, odometry_for(self.body.robot))
        self._wire: deque[tuple[float, JointCommand]] = deque()
        _, self._lease, _ = self.gate.acquire("lockstep", max_delay_s=self.supervisor.max_delay_s)

    def tick(self) -> Outcome | None:
        """Answer one observation and pass a command period; what ended, if anything."""
        body, status = self.body, self.gate.status()
        stopped = self.supervisor.hear(status.state, status.code, status.reason)
        state = body.read()
        if state.stamp_s - self.scene.stamp_s >= SCENE_PERIOD_S - 1e-9:
            self.scene = self._look(body)
        command, ended = self.supervisor.tick(state, self.scene)
        if not (self.mute or self.supervisor.silent):
            sent = replace(command, lease=self._lease)
            self._wire.append((state.stamp_s + self.delay_s, sent))
        if self._on_tick is not None:
            self._on_tick(body, state)
        for _ in range(self._ticks):
            while self._wire and self._wire[0][0] <= body.now + 1e-9:
                body.submit(self._wire.popleft()[1])
            body.tick()
        return stopped or ended

    def idle(self, duration_s: float) -> None:
        """Pass time."""
        for _ in range(round(duration_s / self.body.robot.command_dt_s)):
            self.tick()

    def execute(
        self, subgoal: SubGoal, interrupt: Callable[[], bool] = lambda: False
    ) -> Outcome | None:
        """Carry out a sub-goal; None where ``interrupt`` left it under way."""
        try:
            self.supervisor.begin(subgoal, self.scene)
        except FmrlError as error:
            return Outcome(success=False, error_code=int(error.code), message=str(error))
        while not interrupt():
            ended = self.tick()
            if ended is not None:
                return ended
        return None

    def carry_out(self, plan: Sequence[SubGoal], retries: int = 2) -> tuple[Step, ...]:
        """Carry out a plan; a failed step is tried again, ``retries`` times in all."""
        steps: list[Step] = []
        i = 0
        while i < len(plan):
            began = self.body.now
            outcome = self.execute(plan[i])
            assert outcome is not None  # noqa: S101  (nothing interrupts)
            steps.append(Step(subgoal=plan[i], outcome=outcome, duration_s=self.body.now - began))
            if outcome.success:
                i += 1
                continue
            if retries == 0:
                break
            retries -= 1
            i = self._resume(plan, i)
        return tuple(steps)

    def _resume(self, plan: Sequence[SubGoal], failed: int) -> int:
        """Return the step to go on with: the last grasp, where a place has lost its object."""
        wanted = plan[failed].termination
        if plan[failed].skill != "place" or wanted is None:
            return failed
        cube = wanted.args[0]
        self.idle(0.5)
        if Predicate("held", (cube,)) in self.scene.predicates:
            return failed
        grasps = [j for j in range(failed) if plan[j].skill == "grasp"]
        return grasps[-1] if grasps else failed

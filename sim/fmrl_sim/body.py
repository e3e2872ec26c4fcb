"""The MuJoCo body: physics with the gate in the same process, last before the motors.

Before anybody commands it the body holds: an arm its pose, a quadruped its stance. Commands go to
the gate, and a few times per command period the gate is asked, at physics time, what to apply. A
paused simulation therefore trips no watchdog, and none can be run without one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Protocol

import mujoco
import numpy as np

from fmrl_robot.errors import ErrorCode, Terminal
from fmrl_robot.types import BoolArray, FloatArray, JointCommand, Predicate, RobotState
from fmrl_sim.faults import Fault
from fmrl_sim.ground_truth import GroundTruth
from fmrl_sim.scenes.base import SceneModel, SceneOptions
from fmrl_sim.servos import Servos

TICK_S = 0.004
"""Physics time between two looks at the gate."""


class GateAnswer(Protocol):
    """What a gate wants applied now."""

    @property
    def command(self) -> JointCommand | None:
        """The command to follow; None where none was let through yet, or in a stop."""
        ...

    @property
    def stopped(self) -> bool:
        """Whether the stop kind applies."""
        ...


class Gate(Protocol):
    """What the body needs of a gate."""

    def submit(self, command: JointCommand, now: float) -> object:
        """Judge a command that has just arrived."""
        ...

    def observe(self, q: FloatArray) -> None:
        """Hear where the joints are, shape (n,)."""
        ...

    def tick(self, now: float) -> GateAnswer:
        """Return what to apply at ``now``, seconds of physics time."""
        ...

    def reset(self, now: float) -> None:
        """Forget what was commanded: the world has just been put into another state."""
        ...


class MujocoBody:
    """One simulated robot in its scene, behind a gate."""

    def __init__(
        self,
        scene: SceneModel,
        gate: Gate,
        *,
        seed: int = 0,
        options: SceneOptions | None = None,
        fault: Fault | None = None,
    ) -> None:
        self.scene, self.gate, self.robot = scene, gate, scene.robot
        # A copy: gains are written into it at run time.
        self.model = copy.copy(scene.model)
        # MuJoCo would silently restart a diverged world; a run has to end instead.
        self.model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_AUTORESET)
        self.data = mujoco.MjData(self.model)
        self.servos = Servos(self.model, self.robot)
        self.truth = GroundTruth(scene)
        self.listeners: list[Callable[[MujocoBody], None]] = []
        """Called after every reset."""
        self._substeps = round(TICK_S / self.model.opt.timestep)
        self._stopped_at: float | None = None
        self._last: JointCommand | None = None
        self._fault = fault
        self._begin(seed, options or SceneOptions())

    @property
    def now(self) -> float:
        """Physics time in s; it never runs backwards, not even at a reset."""
        return float(self.data.time)

    def reset(self, seed: int, options: SceneOptions | None = None) -> None:
        """Put the world into the state of ``seed``; the gate forgets what it let through."""
        self._begin(seed, self.options if options is None else options)
        self.gate.reset(self.now)
        for listener in self.listeners:
            listener(self)

    def _begin(self, seed: int, options: SceneOptions) -> None:
        self.seed, self.options = seed, options
        now = self.now
        self.scene.seeded(seed, options).apply(self.model, self.data)
        self.data.time = now
        self._stopped_at = self._last = None
        self.initial_q = self.servos.positions(self.data)
        # Before the first tick too, steps count from where the robot is.
        self.gate.observe(self.initial_q)
        if self._fault is not None:
            self._fault.reset()
        self.servos.rest(self.data)

    def throw(self, rng: np.random.Generator, height_m: float = 0.45) -> None:
        """Let a quadruped fall from ``height_m``, turned and bent anyhow."""
        quaternion = rng.standard_normal(4)
        self.data.qpos[2] = height_m
        self.data.qpos[3:7] = quaternion / np.linalg.norm(quaternion)
        self.data.qpos[self.servos.addresses] = rng.uniform(self.robot.lower, self.robot.upper)
        self.data.qvel[:] = 0.0
        mujoco.mj_forward(self.model, self.data)

    def submit(self, command: JointCommand) -> None:
        """Hand a command to the gate."""
        self.gate.submit(command, self.now)

    def tick(self) -> None:
        """Ask the gate and advance physics by ``TICK_S``.

        Raises:
            Terminal: the physics diverged (SIMULATION_DIVERGED); the run is over.
        """
        self.gate.observe(self.servos.positions(self.data))
        answer = self.gate.tick(self.now)
        if answer.stopped:
            self.stop()
        elif answer.command is not None and answer.command is not self._last:
            self.send(answer.command)
        self._advance()
        self._check()

    def _advance(self) -> None:
        """Pass ``TICK_S`` of physics."""
        mujoco.mj_step(self.model, self.data, self._substeps)

    def send(self, command: JointCommand) -> None:
        """Follow a command that the gate let through, from the next tick on."""
        self._stopped_at, self._last = None, command
        if self._fault is not None:
            command = self._fault.apply(command, self)
        self.servos.command(command, self.data)

    def stop(self) -> None:
        """Apply the robot's stop kind, as the gate asks at every tick of a stop."""
        if self._stopped_at is None:
            self._stopped_at = self.now
        self.servos.stop(self.data, self.now - self._stopped_at)
        self._last = None

    def _check(self) -> None:
        kinds = mujoco.mjtWarning
        bad = (kinds.mjWARN_BADQPOS, kinds.mjWARN_BADQVEL, kinds.mjWARN_BADQACC)
        if any(self.data.warning[int(kind)].number for kind in bad) or not np.all(
            np.isfinite(self.data.qacc)
        ):
            raise Terminal(
                f"expected finite physics, got a diverged state at t={self.now:.3f} s "
                f"(scene {self.scene.name}, seed {self.seed}); restart the body",
                ErrorCode.SIMULATION_DIVERGED,
            )

    def read(self) -> RobotState:
        """Measure; contacts in SAYTAP_LEGS order."""
        quadruped = self.robot.kind == "quadruped"
        return RobotState(
            stamp_s=self.now,
            q=self.servos.positions(self.data).copy(),
            dq=self.servos.velocities(self.data).copy(),
            tau=self.servos.efforts(self.data).copy(),
            quaternion=self.data.qpos[3:7].copy() if quadruped else None,
            angular_velocity=self.data.qvel[3:6].copy() if quadruped else None,
            contacts=self.foot_forces() > 0.0 if quadruped else None,
        )

    def foot_forces(self) -> FloatArray:
        """Normal force on each foot in N, legs in the RobotSpec's order, shape (4,)."""
        found = [self.data.sensor(f"{leg.value}_contact").data for leg in self.robot.legs]
        # A net force is given in the world's frame, and the floor is level.
        return np.array([abs(f[3]) if f[0] > 0 else 0.0 for f in found])

    def foot_contacts(self) -> BoolArray:
        """Feet on the ground, legs in the RobotSpec's order, shape (4,)."""
        return self.foot_forces() > 0.0

    def facts(self) -> frozenset[Predicate]:
        """Ground truth now."""
        return self.truth.facts(self.data)

    def holds(self, goal: Iterable[Predicate]) -> bool:
        """Whether all of ``goal`` is true of the state as it is now."""
        mujoco.mj_forward(self.model, self.data)
        return all(self.truth.holds(p, self.data) for p in goal)

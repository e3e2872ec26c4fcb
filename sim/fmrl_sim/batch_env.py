"""The loop shared by batched quadruped tasks: physics, randomisation, latency, noise and resets.

``mujoco.batch`` steps all robots; what is observed and rewarded is numpy over all of them. A robot
whose state is no longer finite is reset before anybody sees it.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt
from mujoco.batch import Batch

from fmrl_robot.control.locomotion import yaw_of
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import BoolArray, FloatArray
from fmrl_sim.scenes.ground import add_floor, quadruped_spec, standing_qpos


@dataclass(frozen=True, kw_only=True, slots=True)
class Randomisation:
    """How the robots of a batch differ; half widths around 1 unless a unit is given."""

    friction: tuple[float, float] = (0.4, 1.25)
    """Of feet on floor, drawn for each robot."""
    mass: float = 0.15
    payload_kg: float = 1.0
    """Added to or taken from the trunk."""
    gain: float = 0.1
    joint_friction: float = 0.4
    latency_s: float = 0.02
    """Greatest delay of an action; it is drawn in whole physics steps."""
    push_m_s: float = 0.4
    """Greatest kick along x and y."""
    push_every: int = 250
    """Mean control steps between kicks."""
    noise: float = 1.0
    """Scale of the observation noise; 0 for none."""


NO_RANDOMISATION = Randomisation(
    friction=(0.8, 0.8),
    mass=0.0,
    payload_kg=0.0,
    gain=0.0,
    joint_friction=0.0,
    latency_s=0.0,
    push_m_s=0.0,
    noise=0.0,
)
"""The model as it is."""


def training_model(robot: RobotSpec, physics_dt_s: float) -> mujoco.MjModel:
    """The quadruped of the *ground* scene on its floor, with few collision shapes.

    Of the boxes that cover the legs one a link is kept: on a flat floor that is what strikes first.
    """
    spec = quadruped_spec(robot)
    add_floor(spec, robot)
    kept: set[str] = set()
    for geom in [*spec.geoms]:
        collides = geom.contype or geom.conaffinity
        if geom.name == "floor" or geom.name in robot.foot_geoms:
            continue
        body = geom.parent.name
        wanted = body == robot.base_body or body.endswith(("_thigh", "_calf"))
        if not collides or body in kept or not wanted:
            spec.delete(geom)
        else:
            kept.add(body)
            if body != robot.base_body:
                geom.name = f"{body}_shape"
    for body in sorted(kept - {robot.base_body}):
        spec.add_sensor(
            name=f"{body}_struck",
            type=mujoco.mjtSensor.mjSENS_CONTACT,
            objtype=mujoco.mjtObj.mjOBJ_GEOM,
            objname=f"{body}_shape",
            reftype=mujoco.mjtObj.mjOBJ_GEOM,
            refname="floor",
            intprm=[1, 3, 1],
        )
    spec.option.timestep = physics_dt_s
    # MuJoCo would silently restart a diverged robot; the learner has to hear of it.
    spec.option.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_AUTORESET)
    spec.option.iterations, spec.option.ls_iterations = 8, 10
    return spec.compile()


class QuadrupedBatch:
    """Many quadrupeds on a flat floor, each slightly different."""

    def __init__(
        self,
        robot: RobotSpec,
        count: int,
        *,
        threads: int,
        randomisation: Randomisation,
        rng: np.random.Generator,
        physics_dt_s: float = 0.005,
    ) -> None:
        self.robot, self.count, self.randomisation, self._rng = robot, count, randomisation, rng
        self.model = model = training_model(robot, physics_dt_s)
        self.substeps = round(robot.policy_dt_s / physics_dt_s)
        self._batch = batch = Batch(model, count, threads)
        self.qpos, self.qvel = batch.bind("qpos"), batch.bind("qvel")
        self._ctrl, self._warmstart = batch.bind("ctrl"), batch.bind("qacc_warmstart")
        self._sensors, self._geoms = batch.bind("sensordata"), batch.bind("geom_xpos")
        self._efforts = batch.bind("actuator_force")
        self._start = standing_qpos(robot, model)
        self._q_at = np.array([model.joint(n).qposadr[0] for n in robot.model_joints])
        self._dq_at = np.array([model.joint(n).dofadr[0] for n in robot.model_joints])
        self._feet = np.array([model.geom(n).id for n in robot.foot_geoms])
        self._foot_radius = float(model.geom_size[self._feet[0], 0])
        self._contact_at = np.array(
            [model.sensor(f"{leg.value}_contact").adr[0] for leg in robot.legs]
        )
        struck = [i for i in range(model.nsensor) if model.sensor(i).name.endswith("_struck")]
        self._struck_at = np.array([model.sensor(i).adr[0] for i in struck])
        self._late_steps = round(randomisation.latency_s / physics_dt_s)
        self._quarter_weight_n = float(model.body_subtreemass[0]) * 9.81 / 4
        self._latency = self._draw_latency(count)
        self._target = np.tile(robot.default, (count, 1))
        self._vary()

    def _vary(self) -> None:
        """Draw friction, mass, gains and joint friction of every robot."""
        r, rng, n, batch, model = self.randomisation, self._rng, self.count, self._batch, self.model
        self.friction = rng.uniform(*r.friction, n)
        batch.expand("geom_friction")[:, self._feet, 0] = self.friction[:, None]
        mass, inertia = batch.expand("body_mass"), batch.expand("body_inertia")
        factor = rng.uniform(1 - r.mass, 1 + r.mass, (n, model.nbody))
        base = model.body(self.robot.base_body).id
        factor[:, base] += rng.uniform(-r.payload_kg, r.payload_kg, n) / model.body_mass[base]
        mass *= factor
        inertia *= factor[:, :, None]
        gain, bias = batch.expand("actuator_gainprm"), batch.expand("actuator_biasprm")
        kp = rng.uniform(1 - r.gain, 1 + r.gain, (n, model.nu))
        kd = rng.uniform(1 - r.gain, 1 + r.gain, (n, model.nu))
        gain[:, :, 0] *= kp
        bias[:, :, 1] *= kp
        bias[:, :, 2] *= kd
        loss = batch.expand("dof_frictionloss")
        loss *= rng.uniform(1 - r.joint_friction, 1 + r.joint_friction, (n, model.nv))
        batch.set_const()

    def _draw_latency(self, n: int) -> npt.NDArray[np.int64]:
        """Physics steps; short ones more often, as they are on any machine that keeps up."""
        share = np.square(self._rng.random(n))
        return np.floor(share * (self._late_steps + 1)).astype(np.int64)

    @property
    def q(self) -> FloatArray:
        """Joint positions in the RobotSpec's order, shape (n, 12)."""
        return self.qpos[:, self._q_at]

    @property
    def dq(self) -> FloatArray:
        """Joint velocities, shape (n, 12)."""
        return self.qvel[:, self._dq_at]

    @property
    def efforts(self) -> FloatArray:
        """Actuator efforts in N m, shape (n, 12)."""
        return self._efforts

    @property
    def contacts(self) -> BoolArray:
        """Feet on the ground, shape (n, 4)."""
        return self._sensors[:, self._contact_at] > 0

    @property
    def load(self) -> FloatArray:
        """Vertical force on each foot over its share of the weight, shape (n, 4)."""
        return np.abs(self._sensors[:, self._contact_at + 3]) / self._quarter_weight_n

    @property
    def struck(self) -> FloatArray:
        """How many thighs and calves touch the floor, shape (n,)."""
        return (self._sensors[:, self._struck_at] > 0).sum(axis=1).astype(np.float64)

    @property
    def foot_height(self) -> FloatArray:
        """Clearance under each foot in m, shape (n, 4)."""
        return self._geoms[:, self._feet, 2] - self._foot_radius

    @property
    def broken(self) -> BoolArray:
        """Robots whose state is no longer finite or believable, shape (n,)."""
        finite = np.isfinite(self.qpos).all(axis=1) & np.isfinite(self.qvel).all(axis=1)
        return ~finite | (np.abs(self.qvel).max(axis=1, initial=0.0) > 150.0)

    def heading_velocity(self) -> FloatArray:
        """Velocity of the base forward, left and up in its heading frame, m/s, shape (n, 3)."""
        yaw = yaw_of(self.qpos[:, 3:7])
        c, s = np.cos(yaw), np.sin(yaw)
        vx, vy, vz = self.qvel[:, :3].T
        return np.stack([c * vx + s * vy, c * vy - s * vx, vz], axis=1)

    def restart(self, ids: np.ndarray, spread: float = 1.0) -> None:
        """Put robots ``ids`` on their feet near the default pose, headed anywhere."""
        rng, n = self._rng, len(ids)
        self.qpos[ids], self.qvel[ids], self._warmstart[ids] = self._start, 0.0, 0.0
        yaw = rng.uniform(-np.pi, np.pi, n)
        self.qpos[ids, 3], self.qpos[ids, 6] = np.cos(yaw / 2), np.sin(yaw / 2)
        self.qpos[ids, 2] += 0.02
        q = self.robot.default + spread * rng.uniform(-0.2, 0.2, (n, self.robot.num_joints))
        self.qpos[np.ix_(ids, self._q_at)] = q
        self.qvel[ids, :6] = spread * rng.uniform(-0.3, 0.3, (n, 6))
        self._target[ids] = self.robot.default
        self._latency[ids] = self._draw_latency(n)
        self._ctrl[ids] = self.robot.default
        # What is derived from the state would otherwise still be that of the last episode.
        self._batch.forward(ids)

    def advance(self, target: FloatArray) -> None:
        """Apply joint targets (n, 12) for one control period, each robot with its latency."""
        for k in range(self.substeps):
            late = (self._latency > k)[:, None]
            self._ctrl[:] = np.where(late, self._target, target)
            self._batch.step(nstep=1, stage=int(mujoco.mjtStage.mjSTAGE_NONE))
        self._target[:] = target
        self._push()

    def _push(self) -> None:
        r = self.randomisation
        if r.push_m_s:
            kicked = np.flatnonzero(self._rng.random(self.count) < 1.0 / r.push_every)
            self.qvel[kicked, :2] += self._rng.uniform(-r.push_m_s, r.push_m_s, (len(kicked), 2))

"""Many quadrupeds on a flat floor, each slightly different: model, randomisation and state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
import torch

from fmrl_robot.control import locomotion as loco
from fmrl_robot.robots import RobotSpec
from fmrl_sim.batched.engine import Engine, make_engine
from fmrl_sim.batched.quadruped_model import training_model
from fmrl_sim.scenes.ground import standing_qpos


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
    latency_least_s: float = 0.0
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


VARIED = (
    "geom_friction",
    "body_mass",
    "body_inertia",
    "actuator_gainprm",
    "actuator_biasprm",
    "dof_frictionloss",
)
BELIEVABLE = 150.0
"""A joint or base faster than this (rad/s, m/s) is a simulation that broke."""
_OUTPUTS = ("sensordata", "geom_xpos", "actuator_force")


class Quadrupeds:
    """Robots of one kind on an engine.

    After each control period the fields below hold the present state in float32, legs and joints in
    the RobotSpec's order. Contacts, forces and heights are of the last physics step; a robot that
    has just started anew has none.
    """

    num_actions = 12
    action_scale = loco.ACTION_SCALE
    """Offset of a joint target from the default pose in rad for an action of 1."""
    omega: torch.Tensor
    """Angular velocity in the base's frame, rad/s, (n, 3)."""
    gravity: torch.Tensor
    """Direction of gravity in the base's frame, (n, 3)."""
    velocity: torch.Tensor
    """Of the base forward, left and up in its heading frame, m/s, (n, 3)."""
    yaw: torch.Tensor
    """Heading of the base, rad, (n,)."""
    height: torch.Tensor
    """Of the base, m, (n,)."""
    q: torch.Tensor
    """Joint positions, rad, (n, 12)."""
    dq: torch.Tensor
    """Joint velocities, rad/s, (n, 12)."""
    contacts: torch.Tensor
    """Feet on the ground, bool, (n, 4)."""
    load: torch.Tensor
    """Vertical force on each foot over its share of the weight, (n, 4)."""
    struck: torch.Tensor
    """How many thighs and calves touch the floor, (n,)."""
    foot_height: torch.Tensor
    """Clearance under each foot, m, (n, 4)."""
    efforts: torch.Tensor
    """Of the actuators, N m, (n, 12)."""
    broken: torch.Tensor
    """State not finite or not believable, bool, (n,)."""

    def __init__(
        self,
        robot: RobotSpec,
        count: int,
        *,
        engine: str = "cpu",
        threads: int = 0,
        randomisation: Randomisation,
        seed: int = 0,
        physics_dt_s: float = 0.005,
    ) -> None:
        self.robot, self.count, self.randomisation = robot, count, randomisation
        self.control_dt_s = robot.policy_dt_s
        self.model = model = training_model(robot, physics_dt_s)
        self.substeps = round(robot.policy_dt_s / physics_dt_s)
        self.engine: Engine = make_engine(
            engine, model, count, substeps=self.substeps, varied=VARIED, threads=threads
        )
        self.device = self.engine.device
        self.rng = torch.Generator(self.device).manual_seed(seed)
        self.qpos, self.qvel = self.engine.field("qpos"), self.engine.field("qvel")
        self._warmstart = self.engine.field("qacc_warmstart")
        self._outputs = {name: self.engine.field(name) for name in _OUTPUTS}
        self._index(model)
        self._late_steps = tuple(
            round(seconds / physics_dt_s)
            for seconds in (randomisation.latency_least_s, randomisation.latency_s)
        )
        self._default = self._tensor(robot.default)
        self._lower, self._upper = self._tensor(robot.lower), self._tensor(robot.upper)
        self._start = self._tensor(standing_qpos(robot, model))
        self.age = torch.zeros(count, dtype=torch.long, device=self.device)
        self._latency = self._draw_latency(count)
        self._target = self._default.repeat(count, 1)
        self.controls = torch.zeros(
            (count, self.substeps, model.nu), dtype=self.qpos.dtype, device=self.device
        )
        self._substep = torch.arange(self.substeps, device=self.device)[:, None]
        self._vary(np.random.default_rng(seed))
        self._look()
        self._feel()

    def _tensor(self, values: Any) -> torch.Tensor:
        return torch.as_tensor(np.asarray(values), dtype=torch.float32, device=self.device)

    def _index(self, model: mujoco.MjModel) -> None:
        robot = self.robot

        def place(values: list[int]) -> torch.Tensor:
            return torch.as_tensor(values, device=self.device)

        self._q_at = place([int(model.joint(n).qposadr[0]) for n in robot.model_joints])
        self._dq_at = place([int(model.joint(n).dofadr[0]) for n in robot.model_joints])
        self._feet = place([model.geom(n).id for n in robot.foot_geoms])
        self._foot_radius = float(model.geom(robot.foot_geoms[0]).size[0])
        self._contact_at = place(
            [int(model.sensor(f"{g.value}_contact").adr[0]) for g in robot.legs]
        )
        struck = [i for i in range(model.nsensor) if model.sensor(i).name.endswith("_struck")]
        self._struck_at = place([int(model.sensor(i).adr[0]) for i in struck])
        self._quarter_weight_n = float(model.body_subtreemass[0]) * 9.81 / 4

    def _vary(self, rng: np.random.Generator) -> None:
        """Draw friction, mass, gains and joint friction of every robot."""
        r, n, model = self.randomisation, self.count, self.model

        def each(name: str) -> np.ndarray:
            return np.repeat(np.asarray(getattr(model, name))[None], n, axis=0)

        feet = self._feet.cpu().numpy()
        friction = rng.uniform(*r.friction, n)
        self.friction = self._tensor(friction)
        varied = {name: each(name) for name in VARIED}
        varied["geom_friction"][:, feet, 0] = friction[:, None]
        factor = rng.uniform(1 - r.mass, 1 + r.mass, (n, model.nbody))
        base = model.body(self.robot.base_body).id
        factor[:, base] += rng.uniform(-r.payload_kg, r.payload_kg, n) / model.body_mass[base]
        varied["body_mass"] *= factor
        varied["body_inertia"] *= factor[:, :, None]
        kp = rng.uniform(1 - r.gain, 1 + r.gain, (n, model.nu))
        kd = rng.uniform(1 - r.gain, 1 + r.gain, (n, model.nu))
        varied["actuator_gainprm"][:, :, 0] *= kp
        varied["actuator_biasprm"][:, :, 1] *= kp
        varied["actuator_biasprm"][:, :, 2] *= kd
        loss = rng.uniform(1 - r.joint_friction, 1 + r.joint_friction, (n, model.nv))
        varied["dof_frictionloss"] *= loss
        for name, values in varied.items():
            self.engine.vary(name, values)
        self.engine.set_const()

    def uniform(self, low: float, high: float, *shape: int) -> torch.Tensor:
        """Draw numbers between ``low`` and ``high``."""
        drawn = torch.rand(shape, generator=self.rng, device=self.device)
        return low + (high - low) * drawn

    def _draw_latency(self, n: int) -> torch.Tensor:
        """Physics steps; short ones more often, as they are on any machine that keeps up."""
        least, most = self._late_steps
        return least + (self.uniform(0, 1, n).square() * (most - least + 1)).long()

    def restart(self, ids: torch.Tensor, spread: float = 1.0) -> None:
        """Put robots ``ids`` on their feet near the default pose, headed anywhere."""
        n, dtype = len(ids), self.qpos.dtype
        qpos = self._start.repeat(n, 1)
        yaw = self.uniform(-np.pi, np.pi, n)
        qpos[:, 2] += 0.02
        qpos[:, 3], qpos[:, 6] = torch.cos(yaw / 2), torch.sin(yaw / 2)
        qpos[:, self._q_at] = self._default + spread * self.uniform(-0.2, 0.2, n, 12)
        qvel = torch.zeros((n, self.qvel.shape[1]), device=self.device)
        qvel[:, :6] = spread * self.uniform(-0.3, 0.3, n, 6)
        self.qpos[ids], self.qvel[ids] = qpos.to(dtype), qvel.to(dtype)
        self._warmstart[ids] = 0.0
        self._target[ids] = self._default
        self._latency[ids] = self._draw_latency(n)
        self.age[ids] = 0
        self._look(ids)
        self.contacts[ids] = False
        for felt in (self.load, self.struck, self.foot_height, self.efforts):
            felt[ids] = 0.0

    def set_controls(self, actions: torch.Tensor) -> None:
        """Make joint offsets (n, 12) the coming period's controls, each robot with its latency."""
        target = loco.joint_targets(
            actions, self._default, self._lower, self._upper, self.action_scale
        )
        late = self._latency[:, None, None] > self._substep
        self.controls.copy_(torch.where(late, self._target[:, None], target[:, None]))
        self._target = target

    def look(self) -> None:
        """Read what a control period has led to."""
        self.age += 1
        self._look()
        self._feel()

    def act(self, actions: torch.Tensor) -> None:
        """Pass one control period with joint offsets (n, 12); see World."""
        self.set_controls(actions)
        self.engine.step(self.controls)
        self.look()

    def push(self) -> None:
        """Kick the bases of a few robots."""
        r = self.randomisation
        if r.push_m_s:
            kicked = self.uniform(0, 1, self.count, 1) < 1.0 / r.push_every
            kick = self.uniform(-r.push_m_s, r.push_m_s, self.count, 2)
            self.qvel[:, :2] += kicked * kick

    def _look(self, ids: torch.Tensor | None = None) -> None:
        """Read base and joints, of all robots or of ``ids``."""
        qpos, qvel = self.qpos, self.qvel
        if ids is not None:
            qpos, qvel = qpos[ids], qvel[ids]
        qpos, qvel = qpos.float(), qvel.float()
        quaternion = qpos[:, 3:7]
        yaw = loco.yaw_of(quaternion)
        c, s = torch.cos(yaw), torch.sin(yaw)
        vx, vy, vz = qvel[:, :3].unbind(1)
        # NaN fails every comparison.
        sound = (qvel.abs().amax(dim=1) < BELIEVABLE) & (qpos.abs().amax(dim=1) < 1e6)
        seen = {
            "height": qpos[:, 2],
            "omega": qvel[:, 3:6],
            "q": qpos[:, self._q_at],
            "dq": qvel[:, self._dq_at],
            "gravity": loco.projected_gravity(quaternion),
            "yaw": yaw,
            "velocity": torch.stack([c * vx + s * vy, c * vy - s * vx, vz], dim=1),
            "broken": ~sound,
        }
        for name, values in seen.items():
            if ids is None:
                setattr(self, name, values)
            else:
                getattr(self, name)[ids] = values

    def _feel(self) -> None:
        """Read what the last physics step left: contacts, forces, heights."""
        sensors = self._outputs["sensordata"]
        self.contacts = sensors[:, self._contact_at] > 0
        self.load = sensors[:, self._contact_at + 3].abs().float() / self._quarter_weight_n
        self.struck = (sensors[:, self._struck_at] > 0).float().sum(dim=1)
        heights = self._outputs["geom_xpos"][:, self._feet, 2].float()
        self.foot_height = heights - self._foot_radius
        self.efforts = self._outputs["actuator_force"].float()

    def snapshot(self, world: int) -> dict[str, np.ndarray]:
        """State and controls of one robot."""
        return {
            "qpos": self.qpos[world].cpu().numpy(),
            "qvel": self.qvel[world].cpu().numpy(),
            "controls": self.controls[world].cpu().numpy(),
        }

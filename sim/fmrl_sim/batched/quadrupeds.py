"""Many quadrupeds on one ground, each slightly different: model, randomisation and state."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import mujoco
import numpy as np
import torch

from fmrl_robot.control import locomotion as loco
from fmrl_robot.robots import RobotSpec
from fmrl_sim.batched.engine import Engine, make_engine
from fmrl_sim.batched.quadruped_model import training_model
from fmrl_sim.batched.randomisation import VARIED, Randomisation, vary
from fmrl_sim.scenes.ground import standing_qpos
from fmrl_sim.scenes.terrain import Terrain, surface

FOOTPRINT_M = ((0.0, 0.0), (0.19, 0.13), (0.19, -0.13), (-0.19, 0.13), (-0.19, -0.13))
"""Points forward and left of the base, under it and near the feet, where the ground counts."""
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
    """Of the base above the ground around it, m, (n,)."""
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
    feet_at: torch.Tensor
    """Middles of the feet in the world, m, (n, 4, 3)."""
    trunk_touches: torch.Tensor
    """The trunk is on the ground, bool, (n,)."""
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
        terrain: Terrain | None = None,
        whole: bool = False,
    ) -> None:
        self.robot, self.count, self.randomisation = robot, count, randomisation
        self.control_dt_s = robot.policy_dt_s
        self.model = model = training_model(robot, physics_dt_s, terrain=terrain, whole=whole)
        self.substeps = round(robot.policy_dt_s / physics_dt_s)
        self.engine: Engine = make_engine(
            engine, model, count, substeps=self.substeps, varied=VARIED, threads=threads
        )
        self.device = self.engine.device
        self._surface: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None
        if terrain is not None:
            self._surface = partial(surface, self._tensor(terrain.heights))
        self.rng = torch.Generator(self.device).manual_seed(seed)
        self.qpos, self.qvel = self.engine.field("qpos"), self.engine.field("qvel")
        self._warmstart = self.engine.field("qacc_warmstart")
        self._outputs = {name: self.engine.field(name) for name in _OUTPUTS}
        self._index(model)
        self._late_steps = tuple(
            round(seconds / physics_dt_s)
            for seconds in (randomisation.latency_least_s, randomisation.latency_s)
        )
        self._footprint = self._tensor(FOOTPRINT_M)
        self._default = self._tensor(robot.default)
        self._lower, self._upper = self._tensor(robot.lower), self._tensor(robot.upper)
        self._start = self._tensor(standing_qpos(robot, model))
        self.age = torch.zeros(count, dtype=torch.long, device=self.device)
        self.latency = self._draw_latency(count)
        """Physics steps after which an action takes effect, (n,)."""
        delays = -(-self._late_steps[1] // self.substeps)
        self._targets = self._default.repeat(count, delays + 1, 1)
        self.controls = torch.zeros(
            (count, self.substeps, model.nu), dtype=self.qpos.dtype, device=self.device
        )
        self._substep = torch.arange(self.substeps, device=self.device)
        friction = vary(
            self.engine,
            randomisation,
            self._feet.cpu().numpy(),
            model.body(robot.base_body).id,
            seed,
        )
        self.friction = self._tensor(friction)
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
        self._trunk_at = int(model.sensor("trunk_touch").adr[0])
        struck = [i for i in range(model.nsensor) if model.sensor(i).name.endswith("_struck")]
        self._struck_at = place([int(model.sensor(i).adr[0]) for i in struck])
        self._quarter_weight_n = float(model.body_subtreemass[0]) * 9.81 / 4

    @property
    def stance(self) -> torch.Tensor:
        """Default joint positions, rad, (12,)."""
        return self._default

    def uniform(self, low: float, high: float, *shape: int) -> torch.Tensor:
        """Draw numbers between ``low`` and ``high``."""
        drawn = torch.rand(shape, generator=self.rng, device=self.device)
        return low + (high - low) * drawn

    def _draw_latency(self, n: int) -> torch.Tensor:
        """Physics steps; short ones more often, as they are on any machine that keeps up."""
        least, most = self._late_steps
        return least + (self.uniform(0, 1, n).pow(3) * (most - least + 1)).long()

    def restart(self, ids: torch.Tensor, spread: float | torch.Tensor = 1.0) -> None:
        """Put robots ``ids`` on their feet, headed anywhere.

        Args:
            ids: which, (k,).
            spread: how far from the default pose and from rest, for all or for each, (k, 1).
        """
        n, dtype = len(ids), self.qpos.dtype
        qpos = self._start.repeat(n, 1)
        yaw = self.uniform(-np.pi, np.pi, n)
        qpos[:, 2] += 0.02
        qpos[:, 3], qpos[:, 6] = torch.cos(yaw / 2), torch.sin(yaw / 2)
        qpos[:, self._q_at] = self._default + spread * self.uniform(-0.2, 0.2, n, 12)
        self.place(ids, qpos)
        qvel = torch.zeros((n, self.qvel.shape[1]), device=self.device)
        qvel[:, :6] = spread * self.uniform(-0.3, 0.3, n, 6)
        self.qpos[ids], self.qvel[ids] = qpos.to(dtype), qvel.to(dtype)
        self._warmstart[ids] = 0.0
        self._targets[ids] = self._default
        self.latency[ids] = self._draw_latency(n)
        self.age[ids] = 0
        self._look(ids)
        self.contacts[ids] = False
        for felt in (self.load, self.struck, self.foot_height, self.efforts):
            felt[ids] = 0.0

    def place(self, ids: torch.Tensor, qpos: torch.Tensor) -> None:
        """Move robots ``ids``, about to start at the origin, elsewhere: change ``qpos`` (k, nq)."""

    def ground(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Height of the ground at points of any shape, m."""
        return torch.zeros_like(x) if self._surface is None else self._surface(x, y)

    def around(
        self, x: torch.Tensor, y: torch.Tensor, yaw: torch.Tensor, points: torch.Tensor
    ) -> torch.Tensor:
        """Height of the ground at ``points`` (p, 2), told from (x, y) headed ``yaw``, (n, p)."""
        c, s = torch.cos(yaw)[:, None], torch.sin(yaw)[:, None]
        forward, left = points[:, 0], points[:, 1]
        return self.ground(x[:, None] + c * forward - s * left, y[:, None] + s * forward + c * left)

    def set_controls(self, actions: torch.Tensor) -> None:
        """Make joint offsets (n, 12) the coming period's controls, each robot with its latency."""
        target = loco.joint_targets(
            actions, self._default, self._lower, self._upper, self.action_scale
        )
        self._targets = torch.cat([target[:, None], self._targets[:, :-1]], dim=1)
        late = (self.latency[:, None] - self._substep).clamp_min(0)
        periods = -(-late // self.substeps)
        self.controls.copy_(self._targets.gather(1, periods[..., None].expand(-1, -1, 12)))

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
            "height": qpos[:, 2] - self._level(qpos, yaw),
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

    def _level(self, qpos: torch.Tensor, yaw: torch.Tensor) -> torch.Tensor:
        """Level of the ground that a robot stands on, (n,)."""
        if self._surface is None:
            return torch.zeros_like(yaw)
        return self.around(qpos[:, 0], qpos[:, 1], yaw, self._footprint).mean(dim=1)

    def _feel(self) -> None:
        """Read what the last physics step left: contacts, forces, heights."""
        sensors = self._outputs["sensordata"]
        self.contacts = sensors[:, self._contact_at] > 0
        self.trunk_touches = sensors[:, self._trunk_at] > 0
        self.load = sensors[:, self._contact_at + 3].abs().float() / self._quarter_weight_n
        self.struck = (sensors[:, self._struck_at] > 0).float().sum(dim=1)
        self.feet_at = feet = self._outputs["geom_xpos"][:, self._feet].float()
        ground = self.ground(feet[..., 0], feet[..., 1])
        self.foot_height = feet[..., 2] - self._foot_radius - ground
        self.efforts = self._outputs["actuator_force"].float()

    def snapshot(self, world: int) -> dict[str, np.ndarray]:
        """State and controls of one robot."""
        return {
            "qpos": self.qpos[world].cpu().numpy(),
            "qvel": self.qvel[world].cpu().numpy(),
            "controls": self.controls[world].cpu().numpy(),
        }

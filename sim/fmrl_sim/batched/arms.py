"""Many Pandas, commanded exactly as the running controller commands one.

A decision holds for three, then two, then three ticks of the 50 Hz command period (20 Hz on
average); joint targets move within the gate's step and the leash, and the servos are the
RobotSpec's.
"""

from __future__ import annotations

import mujoco
import numpy as np
import torch
from torch import Tensor

from fmrl_robot.control import local_skill as ls
from fmrl_robot.robots import RobotSpec
from fmrl_sim.batched.chain import Chain
from fmrl_sim.batched.engine import make_engine

BELIEVABLE = 200.0
"""A joint or body faster than this (rad/s, m/s) is a simulation that broke."""
VARIED = ("body_mass", "body_inertia", "geom_friction")


class Arms:
    """Arms on an engine; the fields below hold the present state in float32."""

    num_actions = ls.NUM_ACTIONS
    position: Tensor
    """Of the tool, m, (n, 3)."""
    rotation: Tensor
    """Of the tool, (n, 3, 3)."""
    jacobian: Tensor
    """Of the tool, linear over angular, (n, 6, 7)."""
    q: Tensor
    """Joint positions, finger last, (n, 8)."""
    dq: Tensor
    """Joint velocities, (n, 8)."""
    broken: Tensor
    """State not finite or not believable, bool, (n,)."""

    def __init__(
        self,
        robot: RobotSpec,
        model: mujoco.MjModel,
        skill: ls.LocalSkill,
        count: int,
        *,
        engine: str = "cpu",
        threads: int = 1,
        seed: int = 0,
    ) -> None:
        self.robot, self.model, self.skill, self.count = robot, model, skill, count
        self.control_dt_s = robot.policy_dt_s
        substeps = round(robot.command_dt_s / model.opt.timestep)
        self.engine = make_engine(
            engine, model, count, substeps=substeps, varied=VARIED, threads=threads
        )
        self.device = self.engine.device
        self.rng = torch.Generator(self.device).manual_seed(seed)
        self.qpos, self.qvel = self.engine.field("qpos"), self.engine.field("qvel")
        self._warmstart = self.engine.field("qacc_warmstart")
        self._mocap_pos = self.engine.field("mocap_pos")
        self._mocap_quat = self.engine.field("mocap_quat")
        joints = [model.joint(name) for name in robot.model_joints]
        self._q_at = self._index([int(j.qposadr[0]) for j in joints])
        self._dq_at = self._index([int(j.dofadr[0]) for j in joints])
        self._chain = Chain(model, robot.model_joints[:7], "tcp", self.device)
        self._lower, self._upper = self.tensor(robot.lower), self.tensor(robot.upper)
        self._step = self.tensor(robot.step)
        # A servo told q* + (kd / kp) dq* answers a velocity target too.
        self._lead = self.tensor(robot.kd / robot.kp)[:7]
        self.age = torch.zeros(count, dtype=torch.long, device=self.device)
        self.ticks = torch.tensor(3)
        """Of the coming decision."""
        self.q_command = torch.zeros((count, 8), device=self.device)
        self.closed = torch.zeros(count, dtype=torch.bool, device=self.device)
        self.action = torch.zeros((count, ls.NUM_ACTIONS), device=self.device)
        self.action_before = self.action
        self._controls = torch.zeros(
            (count, substeps, model.nu), dtype=self.qpos.dtype, device=self.device
        )

    def tensor(self, values: object) -> Tensor:
        """Numbers in float32 on the device."""
        return torch.as_tensor(np.asarray(values), dtype=torch.float32, device=self.device)

    def _index(self, values: list[int]) -> Tensor:
        return torch.as_tensor(values, device=self.device)

    def act(self, actions: Tensor) -> None:
        """Hold ``actions`` (n, 5) for one decision; see World."""
        self.action_before, self.action = self.action, actions.clamp(-1.0, 1.0)
        velocity = ls.joint_velocity(self.tool(), self.action)
        self.closed = ls.gripper_closed(self.skill, self.action, self.closed)
        for _ in range(int(self.ticks)):
            self._tick(velocity)
        self.ticks.fill_(5 - int(self.ticks))
        self.age += 1
        self.look()

    def _tick(self, velocity: Tensor) -> None:
        before, dt_s = self.q_command[:, :7], self.robot.command_dt_s
        limits = (self._lower, self._upper, self._step)
        measured = self.qpos[:, self._q_at[:7]].float()
        arm = ls.advance(before, measured, velocity, dt_s, *limits)
        self._set_fingers()
        finger = self.q_command[:, 7:]
        self.q_command = torch.cat([arm, finger], dim=1)
        servo = torch.cat([arm + self._lead * (arm - before) / dt_s, finger], dim=1)
        self._controls[:, :, :8] = servo[:, None]
        self.engine.step(self._controls)

    def _set_fingers(self) -> None:
        self.q_command[:, 7] = torch.where(self.closed, 0.0, self.skill.open_m)

    def put(self, ids: Tensor, qpos: Tensor, q: Tensor) -> None:
        """Put arms ``ids`` (k,) at rest into states (k, nq), commanded to stay at ``q`` (k, 8)."""
        self.qpos[ids], self.qvel[ids] = qpos.to(self.qpos.dtype), 0.0
        self._warmstart[ids] = 0.0
        self.q_command[ids] = q
        self.closed[ids] = self.skill.starts_closed
        # New tensors: those before are somebody's observation.
        self.action = self.action.index_fill(0, ids, 0.0)
        self.age[ids] = 0

    def look(self) -> None:
        """Read the present state."""
        qpos, qvel = self.qpos, self.qvel
        # NaN fails every comparison.
        self.broken = ~((qvel.abs().amax(dim=1) < BELIEVABLE) & (qpos.abs().amax(dim=1) < 1e6))
        self.q, self.dq = qpos[:, self._q_at].float(), qvel[:, self._dq_at].float()
        self.position, self.rotation, self.jacobian = self._chain(self.q[:, :7])

    def tool(self) -> ls.ToolState:
        """Kinematics of the tools."""
        return ls.ToolState(position=self.position, rotation=self.rotation, jacobian=self.jacobian)

    def snapshot(self, world: int) -> dict[str, np.ndarray]:
        """State and controls of one arm."""
        return {
            "qpos": self.qpos[world].cpu().numpy(),
            "qvel": self.qvel[world].cpu().numpy(),
            "controls": self._controls[world].cpu().numpy(),
        }

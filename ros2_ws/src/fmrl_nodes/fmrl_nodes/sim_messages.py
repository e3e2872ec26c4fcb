"""What a simulated body tells the graph, as messages: gate, frames, cameras, ground truth."""

from __future__ import annotations

import mujoco
import numpy as np
from geometry_msgs.msg import TransformStamped
from nav_msgs.msg import Odometry
from sensor_msgs.msg import CameraInfo
from tf2_msgs.msg import TFMessage

from fmrl_msgs import msg as fm
from fmrl_nodes import conversions
from fmrl_robot.safety import GateStatus
from fmrl_robot.types import FloatArray, Pose
from fmrl_sim.body import MujocoBody
from fmrl_sim.render import intrinsics, optical_pose
from fmrl_sim.urdf import link_name, robot_bodies

WORLD = "world"


def optical_frame(camera: str) -> str:
    """Frame of a camera's pictures: z along the view, x right, y down (REP 103)."""
    return f"camera_{camera}_optical_frame"


def gate_to_msg(status: GateStatus, stamp_s: float) -> fm.GateState:
    """State and counters of the gate."""
    return fm.GateState(
        header=conversions.header(stamp_s),
        state=int(status.state),
        code=int(status.code),
        reason=status.reason,
        lease_holder=status.holder,
        received=status.received,
        accepted=status.accepted,
        refused=status.refused,
        stops=status.stops,
        refused_codes=[int(code) for code in status.refusals],
        refused_counts=list(status.refusals.values()),
        delay_s=status.delay_s,
        delay_max_s=status.delay_max_s,
    )


class Frames:
    """The robot's links and the cameras, as transforms.

    Where a walking robot's base is in the world is not among them, for no robot can see that:
    whoever estimates it publishes it, and a camera that travels beside the robot is told from the
    base.
    """

    def __init__(self, body: MujocoBody) -> None:
        model = body.model
        self._body = body
        self._links = [
            (b, int(model.body_parentid[b]), link_name(model, body.robot, b))
            for b in robot_bodies(model, body.robot)
        ]
        self._names = {b: name for b, _, name in self._links}
        self._base = (
            int(model.body(body.robot.base_body).id) if body.robot.kind == "quadruped" else 0
        )
        self._carried = {
            camera: int(model.camera(camera).bodyid[0]) for camera in body.scene.cameras
        }

    def moving(self) -> TFMessage:
        """Every link in its parent, and the cameras that follow something."""
        stamp, data = self._body.now, self._body.data
        transforms = [
            conversions.transform_to_msg(
                self._names.get(parent, WORLD), name, *_relative(data, parent, b), stamp
            )
            for b, parent, name in self._links
            if b != self._base
        ]
        transforms += [self._camera(c, stamp) for c in self._carried if not self._fixed(c)]
        return TFMessage(transforms=transforms)

    def fixed(self) -> TFMessage:
        """The cameras that are bolted to the world or to a link."""
        stamp = self._body.now
        return TFMessage(
            transforms=[self._camera(c, stamp) for c in self._carried if self._fixed(c)]
        )

    def _fixed(self, camera: str) -> bool:
        mode = int(self._body.model.camera(camera).mode[0])
        return mode == int(mujoco.mjtCamLight.mjCAMLIGHT_FIXED)

    def _camera(self, camera: str, stamp_s: float) -> TransformStamped:
        data = self._body.data
        position, rotation = optical_pose(data, camera)
        body = self._carried[camera] if self._fixed(camera) else self._base
        base, turn = data.xpos[body], data.xmat[body].reshape(3, 3)
        quaternion = np.zeros(4)
        mujoco.mju_mat2Quat(quaternion, (turn.T @ rotation).reshape(-1))
        parent = self._names.get(body, WORLD)
        return conversions.transform_to_msg(
            parent, optical_frame(camera), turn.T @ (position - base), quaternion, stamp_s
        )


def _relative(data: mujoco.MjData, parent: int, child: int) -> tuple[FloatArray, FloatArray]:
    inverse, position, quaternion = np.zeros(4), np.zeros(3), np.zeros(4)
    mujoco.mju_negQuat(inverse, data.xquat[parent])
    mujoco.mju_rotVecQuat(position, data.xpos[child] - data.xpos[parent], inverse)
    mujoco.mju_mulQuat(quaternion, inverse, data.xquat[child])
    return position, quaternion


def odometry_to_msg(body: MujocoBody) -> Odometry:
    """Where a floating base really is, and how fast it moves in its own frame."""
    data, base = body.data, body.robot.base_body
    pose = Pose(position=data.qpos[:3], quaternion=data.qpos[3:7], frame=WORLD)
    turn = data.body(base).xmat.reshape(3, 3)
    return conversions.odometry_to_msg(pose, turn.T @ data.qvel[:3], data.qvel[3:6], base, body.now)


def camera_info_to_msg(
    model: mujoco.MjModel, camera: str, width: int, height: int, stamp_s: float
) -> CameraInfo:
    """An ideal pinhole camera."""
    k = intrinsics(model, camera, width, height)
    return CameraInfo(
        header=conversions.header(stamp_s, optical_frame(camera)),
        width=width,
        height=height,
        distortion_model="plumb_bob",
        d=[0.0] * 5,
        k=k.reshape(-1).tolist(),
        r=np.eye(3).reshape(-1).tolist(),
        p=np.hstack([k, np.zeros((3, 1))]).reshape(-1).tolist(),
    )

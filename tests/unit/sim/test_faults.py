"""Spoilt runs are spoilt in the way their name says."""

import mujoco
import numpy as np
import pytest

from fmrl_robot.errors import ConfigError
from fmrl_robot.safety import Gate
from fmrl_robot.types import JointCommand
from fmrl_sim.body import MujocoBody
from fmrl_sim.faults import Fault
from fmrl_sim.scenes import tabletop


@pytest.fixture(scope="module")
def scene():
    return tabletop.build()


def _drive(scene, fault, position):
    body = MujocoBody(scene, Gate(scene.robot), fault=fault)
    spec, zero = scene.robot, np.zeros(8)
    _, lease, _ = body.gate.acquire("test")
    start = body.read().q
    for k in range(250):
        if k % 5 == 0:
            share = min(1.0, k / 200)
            command = JointCommand(
                seq=k,
                stamp_s=body.now,
                observation_stamp_s=body.now,
                lease=lease,
                names=spec.joint_names,
                position=(1 - share) * start + share * position,
                velocity=zero,
                effort=zero,
                kp=spec.kp,
                kd=spec.kd,
            )
            assert body.gate.submit(command, body.now) is None
        body.tick()
    return body, start


def test_freeze_stays_where_it_began(scene):
    target = scene.robot.default + np.r_[0.4, np.zeros(7)]
    frozen, start = _drive(scene, Fault("freeze"), target)
    np.testing.assert_allclose(frozen.read().q, start, atol=2e-3)
    free, _ = _drive(scene, None, target)
    assert free.read().q[0] > 0.3


def test_drop_opens_the_hand_once_a_cube_is_up(scene):
    body, _ = _drive(scene, Fault("drop"), scene.robot.default * np.r_[np.ones(7), 0.5])
    assert body.read().q[-1] == pytest.approx(0.02, abs=2e-3)
    command = body._last
    address = scene.model.joint("red_cube").qposadr[0]
    body.data.qpos[address : address + 3] = body.data.site("tcp").xpos
    body.data.qpos[address + 3 : address + 7] = body.data.body("hand").xquat
    for finger in ("finger_joint1", "finger_joint2"):
        body.data.joint(finger).qpos[0] = 0.0199
    mujoco.mj_forward(body.model, body.data)
    fault = Fault("drop")
    assert fault.apply(command, body).position[-1] == scene.robot.upper[-1]
    body.data.qpos[address + 2] += 0.3
    mujoco.mj_forward(body.model, body.data)
    assert fault.apply(command, body).position[-1] == scene.robot.upper[-1]
    fault.reset()
    assert fault.apply(command, body).position[-1] == command.position[-1]


def test_an_unknown_fault_is_refused():
    with pytest.raises(ConfigError, match="freeze, drop"):
        Fault("explode")

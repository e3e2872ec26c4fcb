"""Axioms of the arm's kinematics."""

import numpy as np
import pytest

from fmrl_robot.errors import ErrorCode
from fmrl_robot.motion import ArmKinematics, Unreachable, resolved_rate, tool_down
from fmrl_robot.motion.servo import wrap, yaw_of
from fmrl_robot.robots import PANDA


@pytest.fixture(scope="module")
def kinematics():
    return ArmKinematics(PANDA)


def poses(count):
    rng = np.random.default_rng(3)
    for _ in range(count):
        yield rng.uniform([0.3, -0.35, 0.02], [0.62, 0.35, 0.35]), rng.uniform(0.6, 2.5)


def test_inverse_kinematics_inverts_forward_kinematics(kinematics):
    for position, yaw in poses(40):
        q = kinematics.solve(tool_down(position, yaw), PANDA.default)
        found, rotation = kinematics.tool(q)
        assert np.linalg.norm(found - position) < 1.5e-3
        assert abs(wrap(yaw_of(rotation) - yaw)) < 0.02
        assert rotation[2, 2] < -0.999
        assert np.all(q >= PANDA.lower) and np.all(q <= PANDA.upper)


def test_fingers_keep_their_opening(kinematics):
    start = np.append(PANDA.default[:-1], 0.013)
    assert kinematics.solve(tool_down(np.array([0.5, 0.1, 0.2]), 1.5), start)[-1] == 0.013


def test_out_of_reach_is_refused_with_its_code(kinematics):
    with pytest.raises(Unreachable) as error:
        kinematics.solve(tool_down(np.array([1.4, 0.0, 0.2])), PANDA.default)
    assert error.value.code == ErrorCode.NO_PATH


def test_jacobian_is_the_derivative_of_the_position(kinematics):
    q = PANDA.default + 0.1
    q[-1] = 0.02
    jacobian = kinematics.jacobian(q)
    for joint in range(7):
        moved = q.copy()
        moved[joint] += 1e-6
        slope = (kinematics.tool(moved)[0] - kinematics.tool(q)[0]) / 1e-6
        assert np.allclose(jacobian[:3, joint], slope, atol=1e-5)


def test_resolved_rate_moves_the_tool_as_asked_and_keeps_it_down(kinematics):
    q = kinematics.solve(tool_down(np.array([0.45, 0.1, 0.2]), 1.2), PANDA.default)
    velocity = np.array([0.1, -0.05, 0.08])
    for _ in range(50):
        _, rotation = kinematics.tool(q)
        rates = resolved_rate(
            kinematics.jacobian(q)[None], rotation[None], velocity[None], np.array([0.3])
        )
        q[:7] += 0.02 * rates[0]
    position, rotation = kinematics.tool(q)
    assert np.allclose(position, [0.55, 0.05, 0.28], atol=4e-3)
    assert abs(yaw_of(rotation) - 1.5) < 0.02
    assert rotation[2, 2] < -0.999

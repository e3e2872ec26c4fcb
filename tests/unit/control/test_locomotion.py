import numpy as np
import pytest

from fmrl_robot.control import locomotion as loco
from fmrl_robot.robots import GO2

RNG = np.random.default_rng(7)


def quaternion_of(roll, pitch, yaw):
    (cr, cp, cy), (sr, sp, sy) = (
        np.cos([roll / 2, pitch / 2, yaw / 2]),
        np.sin([roll / 2, pitch / 2, yaw / 2]),
    )
    return np.array(
        [
            cr * cp * cy + sr * sp * sy,
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
        ]
    )


def test_gravity_of_known_attitudes():
    assert loco.projected_gravity(quaternion_of(0, 0, 1.0)) == pytest.approx([0, 0, -1])
    assert loco.projected_gravity(quaternion_of(np.pi / 2, 0, 0)) == pytest.approx([0, -1, 0])
    assert loco.projected_gravity(quaternion_of(0, np.pi / 2, 0)) == pytest.approx([1, 0, 0])


@pytest.mark.parametrize("yaw", [-3.0, -0.5, 0.0, 2.0])
def test_yaw_is_read_back(yaw):
    assert loco.yaw_of(quaternion_of(0.1, -0.2, yaw)) == pytest.approx(yaw)


@pytest.mark.parametrize("mirror", [loco.mirror_observation(), loco.mirror_action()])
def test_a_mirror_is_its_own_inverse(mirror):
    swap, sign = mirror
    x = RNG.normal(size=len(swap))
    once = x[swap] * sign
    assert not np.allclose(once, x)
    assert np.allclose(once[swap] * sign, x)


def test_the_mirrored_observation_is_the_observation_of_the_mirrored_robot():
    contacts = RNG.random((4, 26)) < 0.5
    roll, pitch, yaw = 0.2, -0.1, 0.7
    q, dq, action = RNG.normal(size=(3, 12))
    omega, command = RNG.normal(size=(2, 3))
    side = [1, 0, 3, 2]

    def seen(flipped):
        swap, sign = loco.mirror_action()
        joint = (lambda v: v[swap] * sign) if flipped else (lambda v: v)
        s = -1 if flipped else 1
        return loco.observe(
            {
                "base_angular_velocity": omega * [s, 1, s],
                "projected_gravity": loco.projected_gravity(
                    quaternion_of(s * roll, pitch, s * yaw)
                ),
                "velocity_command": command * [1, s, s],
                "joint_position": joint(q) - GO2.default,
                "joint_velocity": joint(dq),
                "last_action": joint(action),
                "contact_window": loco.window_at(contacts[side] if flipped else contacts, 24),
            }
        )

    swap, sign = loco.mirror_observation()
    assert np.allclose(seen(False)[swap] * sign, seen(True))


def test_the_window_is_cyclic():
    contacts = np.eye(4, 26, dtype=bool)
    window = loco.window_at(contacts, 25).reshape(4, 5)
    assert np.array_equal(window[:, 0], contacts[:, 25])
    assert np.array_equal(window[:, 1:], contacts[:, :4])


def test_targets_stay_within_the_joints_limits():
    wild = loco.joint_targets(np.full(12, 1e6), GO2.default, GO2.lower, GO2.upper)
    assert np.array_equal(wild, GO2.upper)
    assert np.array_equal(
        loco.joint_targets(np.zeros(12), GO2.default, GO2.lower, GO2.upper), GO2.default
    )


def test_heading_errors_are_taken_back_the_short_way():
    assert loco.keep_heading(np.array(0.0), np.array(0.1)) > 0
    assert loco.keep_heading(np.array(0.0), np.array(2 * np.pi - 0.1)) < 0
    assert loco.keep_heading(np.array(0.5), np.array(3.0)) == pytest.approx(0.5 + loco.HEADING_MAX)

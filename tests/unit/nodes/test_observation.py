"""How observations are put together, and what must not get into one."""

import numpy as np
import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")

from fmrl_nodes import conversions
from fmrl_nodes.errors import BadMessage
from fmrl_nodes.observation import Assembler
from fmrl_nodes.stamps import FAR_S, Stamps
from fmrl_robot.robots import GO2, PANDA

UP = np.array([1.0, 0.0, 0.0, 0.0])


def joints(spec, stamp_s, **changes):
    n = spec.num_joints
    message = conversions.joint_state_to_msg(
        spec.joint_names, spec.default, np.zeros(n), np.zeros(n), stamp_s
    )
    for field, value in changes.items():
        setattr(message, field, value)
    return message


def imu(stamp_s, quaternion=UP, rate=(0.0, 0.0, 0.0)):
    return conversions.imu_to_msg(np.array(quaternion), np.array(rate), stamp_s, "base")


def feet(stamp_s, spec=GO2):
    return conversions.contacts_to_msg(spec.legs, np.ones(4, bool), np.zeros(4), stamp_s)


def test_the_last_part_of_a_moment_completes_it():
    assembler = Assembler(GO2)
    assert assembler.add_imu(imu(1.0)) is None
    assert assembler.add_contacts(feet(1.0)) is None
    state = assembler.add_joints(joints(GO2, 1.0))
    assert state.stamp_s == 1.0 and state.contacts.all() and np.array_equal(state.quaternion, UP)
    assert assembler.add_imu(imu(1.02)) is None, "each set of joint states is offered once"


NAN = [np.nan] * PANDA.num_joints
BAD_JOINTS = {
    "NaN position": {"position": NAN},
    "infinite velocity": {"velocity": [np.inf] * PANDA.num_joints},
    "huge position": {"position": [1e300] * PANDA.num_joints},
    "too few": {"position": [0.0]},
    "no velocity": {"velocity": []},
    "half of the efforts": {"effort": [0.0]},
    "no joints": {"name": [], "position": [], "velocity": [], "effort": []},
    "strangers": {"name": ["joint"] * PANDA.num_joints},
}


@pytest.mark.parametrize("changes", BAD_JOINTS.values(), ids=BAD_JOINTS)
def test_joints_that_mean_nothing_give_no_observation(changes):
    assembler = Assembler(PANDA)
    with pytest.raises(BadMessage):
        assembler.add_joints(joints(PANDA, 1.0, **changes))
    assert assembler.add_joints(joints(PANDA, 1.02)) is not None


def test_efforts_that_a_driver_does_not_measure_are_none():
    state = Assembler(PANDA).add_joints(joints(PANDA, 1.0, effort=NAN))
    assert state.tau is None and np.isfinite(state.q).all()


ABSENT = imu(1.0)
ABSENT.orientation_covariance[0] = -1.0


@pytest.mark.parametrize(
    "bad", [imu(1.0, UP * np.nan), imu(1.0, UP * 0), imu(1.0, rate=[np.nan] * 3), ABSENT]
)
def test_inertia_that_means_nothing_leaves_no_trace(bad):
    assembler = Assembler(GO2)
    assembler.add_contacts(feet(1.0))
    with pytest.raises(BadMessage):
        assembler.add_imu(bad)
    assert assembler.add_joints(joints(GO2, 1.0)) is None, "no orientation, no observation"
    assert assembler.add_imu(imu(1.0)) is not None


def test_feet_of_another_animal_are_refused():
    message = feet(1.0)
    message.legs = [*message.legs[:3], "left wing"]
    with pytest.raises(BadMessage, match="RR"):
        Assembler(GO2).add_contacts(message)
    message.legs = list(message.legs)[:3]
    with pytest.raises(BadMessage, match="3 and 4"):
        Assembler(GO2).add_contacts(message)


@pytest.mark.parametrize("far_s", [1e9, 0.0, 5.0 - 0.02, 5.0 + FAR_S + 0.1])
def test_one_stamp_that_is_far_off_is_no_new_time(far_s):
    assembler = Assembler(PANDA)
    stamps = [4.96, 4.98, 5.0, far_s, 5.02, 5.04]
    seen = []
    for stamp in stamps:
        try:
            seen.append(assembler.add_joints(joints(PANDA, stamp)).stamp_s)
        except BadMessage as error:
            assert "stamp" in str(error)
    assert seen == [4.96, 4.98, 5.0, 5.02, 5.04]


@pytest.mark.parametrize("start_s", [0.0, 1000.0])
def test_a_clock_that_was_set_is_believed_at_the_second_message(start_s):
    stamps = Stamps()
    stamps.check(500.0)
    with pytest.raises(BadMessage):
        stamps.check(start_s)
    stamps.check(start_s + 0.02)
    stamps.check(start_s + 0.04)

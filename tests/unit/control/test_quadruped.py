"""The quadruped's controller, against observations made up here; see sim/ for it on physics."""

import numpy as np
import pytest

from fmrl_robot.control.quadruped import FIRM_KP, RISE_S, SETTLE_S, QuadrupedController
from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.robots import GO2
from fmrl_robot.types import (
    ContactPattern,
    Leg,
    RobotState,
    SubGoal,
    SubGoalKind,
    Velocity,
)

TROT = np.zeros((4, 26), dtype=bool)
TROT[[0, 3], :16] = TROT[[1, 2], 10:] = True
LYING = np.tile([0.0, 1.3, -2.6], 4)


def subgoal(rows=TROT, duration=1.0, **changes):
    values = {
        "id": "1",
        "kind": SubGoalKind.CONTACT_PATTERN,
        "pattern": ContactPattern(contacts=rows),
        "velocity": Velocity(vx=0.5),
        "duration_s": duration,
    }
    return SubGoal(**{**values, **changes})


class World:
    """A robot whose joints go where they are told at once."""

    def __init__(self, q=GO2.default):
        self.controller = QuadrupedController(GO2)
        self.now, self.q = 0.0, q.copy()
        self.quaternion = np.array([1.0, 0.0, 0.0, 0.0])

    def state(self):
        return RobotState(
            stamp_s=self.now,
            q=self.q.copy(),
            dq=np.zeros(12),
            quaternion=self.quaternion,
            angular_velocity=np.zeros(3),
        )

    def step(self, seconds=0.02):
        commands = []
        for _ in range(round(seconds / 0.02)):
            self.now += 0.02
            commands.append(self.controller.step(self.state(), None))
            self.q = commands[-1].position.copy()
        return commands

    def start(self, goal):
        self.controller.start(goal, self.state(), None)


def test_every_command_is_within_what_the_gate_lets_through():
    world = World(LYING)
    commands = world.step(2.0)
    world.start(subgoal())
    commands += world.step(2.0)
    before = LYING
    for command in commands:
        assert command.names == GO2.joint_names
        assert (command.position >= GO2.lower).all()
        assert (command.position <= GO2.upper).all()
        assert (np.abs(command.position - before) <= GO2.step + 1e-9).all()
        assert (command.kp <= GO2.kp_limit).all()
        assert (command.kd <= GO2.kd_limit).all()
        before = command.position


def test_from_the_floor_it_rises_smoothly_to_the_stance():
    world = World(LYING)
    commands = world.step(RISE_S + 0.1)
    assert np.allclose(commands[0].position, LYING, atol=0.02)
    steps = np.abs(np.diff([c.position for c in commands], axis=0)).max()
    assert steps < 0.05
    assert np.allclose(commands[-1].position, GO2.default)
    assert (commands[-1].kp == FIRM_KP).all()


def test_a_subgoal_waits_until_the_robot_stands_and_then_lasts_its_time():
    world = World(LYING)
    world.step()
    world.start(subgoal(duration=1.0))
    world.step(RISE_S - 0.1)
    assert world.controller.progress() == 0.0
    world.step(0.7)
    assert 0.3 < world.controller.progress() < 0.9
    assert world.controller.outcome() is None
    world.step(0.6)
    outcome = world.controller.outcome()
    assert outcome is not None
    assert outcome.success


def test_the_policy_acts_with_the_gains_it_was_trained_with():
    world = World()
    world.step(1.0)
    world.start(subgoal())
    commands = world.step(0.5)
    assert all((c.kp == GO2.kp).all() and (c.kd == GO2.kd).all() for c in commands)
    assert np.abs(commands[-1].position - GO2.default).max() > 0.01


def test_after_a_subgoal_it_stands_and_then_rests_firmly():
    world = World()
    world.step(1.0)
    world.start(subgoal(duration=0.5))
    world.step(0.6)
    assert world.controller.outcome().success
    world.step(SETTLE_S + RISE_S + 0.1)
    last = world.step()[-1]
    assert (last.kp == FIRM_KP).all()
    assert np.allclose(last.position, GO2.default)


def test_holding_gives_up_the_subgoal():
    world = World()
    world.step(1.0)
    world.start(subgoal(duration=5.0))
    world.step(0.5)
    world.controller.hold()
    assert (world.step(SETTLE_S + 1.0)[-1].kp == FIRM_KP).all()
    assert world.controller.outcome() is None


def test_a_fall_ends_the_subgoal_with_its_code_and_damps():
    world = World()
    world.step(1.0)
    world.start(subgoal(duration=5.0))
    world.step(0.5)
    world.quaternion = np.array([np.cos(0.8), np.sin(0.8), 0.0, 0.0])
    (command,) = world.step()
    assert world.controller.outcome().error_code == ErrorCode.ROBOT_FELL
    assert not command.kp.any()
    assert command.kd.all()
    with pytest.raises(FmrlError) as caught:
        world.start(subgoal())
    assert caught.value.code == ErrorCode.ROBOT_FELL
    world.quaternion = np.array([1.0, 0.0, 0.0, 0.0])
    assert (world.step(RISE_S + 0.5)[-1].kp == FIRM_KP).all()


def test_rows_are_matched_to_legs_by_name():
    one, other = World(), World()
    order = (Leg.FR, Leg.FL, Leg.RR, Leg.RL)
    rows = TROT.copy()
    rows[2] = True
    for world in (one, other):
        world.step(1.0)
    one.start(subgoal(rows))
    shuffled = ContactPattern(contacts=rows[[1, 0, 3, 2]], legs=order)
    other.start(subgoal(pattern=shuffled))
    assert np.array_equal(one.step(0.3)[-1].position, other.step(0.3)[-1].position)


@pytest.mark.parametrize(
    "pattern",
    [
        ContactPattern(contacts=TROT[:3]),
        ContactPattern(contacts=TROT[:, :0]),
        ContactPattern(contacts=TROT, dt_s=0.05),
        ContactPattern(contacts=TROT, legs=(Leg.FL, Leg.FL, Leg.RL, Leg.RR)),
    ],
)
def test_a_pattern_that_makes_no_sense_is_refused(pattern):
    world = World()
    world.step()
    with pytest.raises(FmrlError) as caught:
        world.start(subgoal(pattern=pattern))
    assert caught.value.code == ErrorCode.PATTERN_INVALID


def test_driving_steps_and_stopping_rests():
    world = World()
    world.step(1.0)
    world.controller.drive(Velocity(vx=0.5))
    moving = world.step(0.5)
    assert (moving[-1].kp == GO2.kp).all()
    world.controller.drive(Velocity())
    assert (world.step(SETTLE_S + 1.0)[-1].kp == FIRM_KP).all()


def test_driving_is_bounded():
    fast, faster = World(), World()
    for world, vx in ((fast, 1.1), (faster, 50.0)):
        world.step(1.0)
        world.controller.drive(Velocity(vx=vx))
    assert np.array_equal(fast.step(0.3)[-1].position, faster.step(0.3)[-1].position)


def test_without_an_imu_the_policy_does_not_act():
    world = World()
    world.step(1.0)
    world.quaternion = None
    world.start(subgoal())
    with pytest.raises(FmrlError) as caught:
        world.step(0.1)
    assert caught.value.code == ErrorCode.OBSERVATION_STALE

"""The skill ``walk`` on the quadruped's controller; its policy shows the command it was given."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fmrl_robot.assets import policies_dir  # noqa: E402
from fmrl_robot.control import locomotion as loco  # noqa: E402
from fmrl_robot.control.quadruped import FIRM_KP, SETTLE_S, QuadrupedController  # noqa: E402
from fmrl_robot.control.supervisor import Supervisor  # noqa: E402
from fmrl_robot.control.velocity import (  # noqa: E402
    ACTION_SCALE,
    OBSERVATION_SIZE,
    OBSERVATIONS,
    VELOCITY_MAX,
    velocity_contract,
)
from fmrl_robot.errors import ConfigError, ErrorCode, FmrlError  # noqa: E402
from fmrl_robot.robots import GO2  # noqa: E402
from fmrl_robot.train.export import export_policy  # noqa: E402
from fmrl_robot.types import (  # noqa: E402
    ContactPattern,
    RobotState,
    SubGoal,
    SubGoalKind,
    Velocity,
)

AT = sum(size for name, size, _ in OBSERVATIONS[:2])
"""Where the command stands in an observation."""
TOLD = slice(0, 3)
"""Joints that the policy below moves by ACTION_SCALE times vx, vy and wz."""
TROT = np.zeros((4, 26), dtype=bool)
TROT[[0, 3], :16] = TROT[[1, 2], 10:] = True


@pytest.fixture(scope="module")
def policies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("policies")
    layer = torch.nn.Linear(OBSERVATION_SIZE, 12)
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    layer.weight.data[range(3), range(AT, AT + 3)] = 1.0 / scale_of("velocity_command")
    export_policy(
        torch.nn.Sequential(layer), velocity_contract(GO2), folder / "go2-velocity" / "policy.onnx"
    )
    (folder / "go2-saytap").symlink_to(policies_dir() / "go2-saytap")
    return folder


def scale_of(name):
    return {n: scale for n, _, scale in OBSERVATIONS}[name]


class World:
    """A robot whose joints go where they are told at once."""

    def __init__(self, policies):
        self.supervisor = Supervisor(QuadrupedController(GO2, policies=policies))
        self.now, self.q, self.yaw, self.ended = 0.0, GO2.default.copy(), 0.0, None
        self.quaternion = None
        self.step(1.0)

    def step(self, seconds=0.02):
        for _ in range(round(seconds / 0.02)):
            self.now += 0.02
            turned = np.array([np.cos(self.yaw / 2), 0.0, 0.0, np.sin(self.yaw / 2)])
            state = RobotState(
                stamp_s=self.now,
                q=self.q.copy(),
                dq=np.zeros(12),
                quaternion=turned if self.quaternion is None else self.quaternion,
                angular_velocity=np.zeros(3),
            )
            command, ended = self.supervisor.tick(state, None)
            self.ended = ended or self.ended
            self.q = command.position.copy()
        return command

    def told(self, seconds=0.2):
        """The command as the policy sees it."""
        return (self.step(seconds).position - GO2.default)[TOLD] / ACTION_SCALE

    def walk(self, duration=1.0, timeout=30.0, **velocity):
        goal = SubGoal(
            id="walk",
            kind=SubGoalKind.SKILL,
            skill="walk",
            velocity=Velocity(**velocity),
            duration_s=duration,
            timeout_s=timeout,
        )
        self.supervisor.begin(goal, None)


def test_the_policy_sees_45_numbers_and_no_pattern():
    contract = velocity_contract(GO2)
    assert contract.observation_size == OBSERVATION_SIZE == 45
    assert contract.command_names == ("velocity_command",)
    assert "contact_window" not in contract.observation_names
    swap, sign = loco.mirror_observation(OBSERVATIONS)
    assert sorted(swap) == list(range(45)) == list(range(len(sign)))


def test_the_command_reaches_the_policy_with_the_gains_it_was_trained_with(policies):
    world = World(policies)
    world.walk(vx=0.6, vy=-0.2, wz=0.4)
    assert world.told() == pytest.approx([0.6, -0.2, 0.4], abs=1e-6)
    assert (world.step().kp == GO2.kp).all()


def test_commands_beyond_training_are_cut_off(policies):
    world = World(policies)
    world.walk(vx=50.0, vy=-50.0, wz=np.inf)
    most = [VELOCITY_MAX.vx, -VELOCITY_MAX.vy, VELOCITY_MAX.wz]
    assert world.told(0.6) == pytest.approx(most, abs=1e-6)


def test_a_walk_ends_with_its_duration_and_the_robot_stands_firmly(policies):
    world = World(policies)
    world.walk(vx=0.6, duration=1.0)
    world.step(0.9)
    assert world.ended is None
    assert world.supervisor.progress == pytest.approx(0.9, abs=0.05)
    world.step(0.2)
    assert world.ended is not None
    assert world.ended.success
    assert world.told(0.3) == pytest.approx([0.0, 0.0, 0.0], abs=1e-6)
    last = world.step(SETTLE_S + 1.0)
    assert (last.kp == FIRM_KP).all()
    assert np.allclose(last.position, GO2.default)


def test_without_a_duration_it_walks_until_the_next_goal(policies):
    world = World(policies)
    world.walk(vx=0.6, duration=0.0, timeout=0.0)
    assert world.told(40.0) == pytest.approx([0.6, 0.0, 0.0], abs=1e-6)
    world.walk(vx=-0.3, duration=0.5)
    assert world.told() == pytest.approx([-0.3, 0.0, 0.0], abs=1e-6)
    assert world.ended is None
    world.step(0.5)
    assert world.ended.success


def test_walking_hands_over_to_a_pattern_and_back_without_a_jump(policies):
    world = World(policies)
    world.walk(vx=0.6, duration=0.0)
    world.step(0.3)
    rows = ContactPattern(contacts=TROT)
    trot = SubGoal(
        id="t", kind=SubGoalKind.CONTACT_PATTERN, pattern=rows, velocity=Velocity(vx=0.5)
    )
    before = world.step().position
    world.supervisor.begin(trot, None)
    after = world.step().position
    assert (np.abs(after - before) <= GO2.step + 1e-9).all()
    world.step(0.5)
    assert np.abs(world.q - GO2.default)[3:].max() > 0.01, "the pattern's policy moves every leg"
    world.walk(vx=0.2)
    assert world.told(0.6) == pytest.approx([0.2, 0.0, 0.0], abs=1e-6)


def test_a_walk_that_does_not_turn_keeps_its_heading_and_one_that_turns_does_not(policies):
    world = World(policies)
    world.walk(vx=0.6, duration=0.0)
    world.step(0.3)
    world.yaw = 0.2
    assert world.told()[2] == pytest.approx(-0.2, abs=1e-3)
    world.walk(vx=0.6, wz=0.5, duration=0.0)
    assert world.told()[2] == pytest.approx(0.5, abs=1e-6)


def test_giving_up_and_falling_end_a_walk(policies):
    world = World(policies)
    world.walk(vx=0.6, duration=0.0)
    world.step(0.5)
    assert world.supervisor.abandon(ErrorCode.SUBGOAL_CANCELLED, "enough") is not None
    assert (world.step(SETTLE_S + 1.0).kp == FIRM_KP).all()
    world.walk(vx=0.6, duration=0.0)
    world.step(0.5)
    world.quaternion = np.array([np.cos(0.8), np.sin(0.8), 0.0, 0.0])
    command = world.step(0.1)
    assert world.ended.error_code == ErrorCode.ROBOT_FELL
    assert not command.kp.any()
    with pytest.raises(FmrlError) as caught:
        world.walk(vx=0.6)
    assert caught.value.code is ErrorCode.ROBOT_FELL


def test_without_its_policy_nobody_walks_and_a_wrong_one_is_refused(policies, tmp_path):
    (tmp_path / "go2-saytap").symlink_to(policies_dir() / "go2-saytap")
    with pytest.raises(FmrlError) as caught:
        World(tmp_path).walk(vx=0.5)
    assert caught.value.code is ErrorCode.NO_POLICY_FITS
    (tmp_path / "go2-velocity").symlink_to(policies_dir() / "go2-saytap")
    with pytest.raises(ConfigError) as refused:
        World(tmp_path)
    assert refused.value.code is ErrorCode.POLICY_REFUSED

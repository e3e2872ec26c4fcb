"""Which commands the simulator waits for, and which resets it refuses."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")

import rclpy
from rclpy.context import Context
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from fmrl_msgs.srv import ResetSim
from fmrl_nodes import conversions
from fmrl_nodes.sim_node import SimNode
from fmrl_robot.errors import ErrorCode
from fmrl_robot.robots import GO2
from fmrl_robot.types import JointCommand

DOMAIN = 70


@pytest.fixture
def node():
    context = Context()
    rclpy.init(context=context, domain_id=DOMAIN)
    values = {"robot": "go2", "camera_hz": 0.0, "lockstep_s": 1.0}
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    node = SimNode(context=context, parameter_overrides=overrides)
    for transition in (node.trigger_configure, node.trigger_activate):
        assert transition() == TransitionCallbackReturn.SUCCESS
    yield node
    node.close()
    node.destroy_node()
    rclpy.shutdown(context=context)


def test_an_answer_to_what_is_yet_to_come_ends_no_waiting(node):
    """One such command, refused or not, would have time run on without its commands for ever."""
    _, lease, _ = node._gate.acquire("test")
    n, now = GO2.num_joints, node._world.now
    command = JointCommand(
        seq=1,
        stamp_s=now,
        observation_stamp_s=1e9,
        lease=lease,
        names=GO2.joint_names,
        position=GO2.default,
        velocity=np.zeros(n),
        effort=np.zeros(n),
        kp=GO2.kp,
        kd=GO2.kd,
    )
    node._on_command(conversions.command_to_msg(command))
    assert not node._commands.waits(now + 10.0, 1.0), "nobody has answered yet"
    node._on_command(conversions.command_to_msg(replace(command, seq=2, observation_stamp_s=now)))
    assert node._commands.waits(now + 10.0, 1.0), "who has answered once is waited for"
    node._on_command(conversions.command_to_msg(replace(command, seq=3)))
    assert node._commands.waits(now + 10.0, 1.0)


@pytest.mark.parametrize("text", ["{", "5", '{"at": 5}', '{"far": [3]}'])
def test_options_that_are_none_refuse_the_reset_and_end_nothing(node, text):
    node.set_parameters([Parameter("scene_options", value=text)])
    answer = node._on_reset(ResetSim.Request(seed=1), ResetSim.Response())
    assert not answer.success
    assert answer.error_code == ErrorCode.RESET_REFUSED
    assert "scene options" in answer.message or "scene_options" in answer.message

"""Stop, re-arm, next task: on the whole graph, by the commands that a person types."""

import time

import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")
pytest.importorskip("transformers", reason="needs the fm extra")

from fmrl_msgs import msg as fm
from fmrl_robot.errors import ErrorCode

pytestmark = pytest.mark.graph

TASKS = {"panda": "put the red cube in the bowl", "go2": "trot forward slowly"}
UNDER_WAY = 25
"""Commands that a controller may have sent before it hears of a stop on a busy machine: 0.5 s."""


def test_a_robot_that_was_stopped_is_armed_again_and_does_its_next_task(anew):
    graph = anew
    task = TASKS[graph.spec.name]
    ending = graph.begin(task)
    graph.until(graph.executing, what="the first sub-goal")
    graph.spin(1.0)
    refused = graph.gate.refused
    code, said = graph.command("stop")
    assert code == 0, said
    graph.until(ending.done, 5.0, "the end of the task")
    result = ending.result().result
    assert result.error_code == ErrorCode.GATE_STOPPED and "fmrl rearm" in result.error_msg

    began = time.monotonic()
    code, said = graph.command("ask", task)
    assert code == 1 and "somebody stopped the robot (411" in said, said
    assert time.monotonic() - began < 20.0, "it does not wait for a minute"
    again = graph.do(task)
    assert again.error_code == ErrorCode.GATE_STOPPED, "the planner refuses it too"
    graph.spin(1.0)
    assert graph.gate.refused - refused <= UNDER_WAY, "a stopped robot is not shouted at"

    code, said = graph.command("rearm")
    assert code == 0, said
    done = graph.do(task)
    assert done.success, done.error_msg

    graph.kill("controller")
    graph.until(lambda: graph.gate.state == fm.GateState.STOPPED, 20.0, "a stop")
    assert graph.gate.code == int(ErrorCode.COMMAND_SILENCE)
    graph.start_again("controller")
    graph.until(lambda: "silent" in graph.says("controller"), 30.0, "another one")
    code, said = graph.command("rearm")
    assert code == 0, said
    # The middleware may take twenty seconds to forget the dead one's action server.
    graph.spin(1.0)
    done = graph.do(task)
    assert done.success, done.error_msg
    assert graph.outside() == {}

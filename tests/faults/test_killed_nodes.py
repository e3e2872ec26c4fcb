"""What the design promises when a node dies, tried on the whole graph with SIGKILL."""

import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")
pytest.importorskip("transformers", reason="needs the fm extra")

from fmrl_msgs import msg as fm
from fmrl_robot.errors import ErrorCode

pytestmark = pytest.mark.graph

TASKS = {"panda": "put the red cube in the bowl", "go2": "trot forward slowly"}


def under_way(graph):
    """A task whose first sub-goal has been moving the robot for a while."""
    ending = graph.begin(TASKS[graph.spec.name])
    graph.until(graph.executing, what="the first sub-goal")
    graph.spin(1.0)
    assert not ending.done()
    return ending


@pytest.mark.parametrize("running", ["panda"], indirect=True)
def test_a_killed_reward_leaves_the_task_alone(anew):
    graph = anew
    ending = under_way(graph)
    graph.kill("reward")
    graph.until(ending.done, 90.0, "the task")
    assert ending.result().result.success, ending.result().result.error_msg
    assert graph.stops == 0


def test_a_killed_controller_stops_the_robot_and_ends_the_task(anew):
    graph = anew
    ending = under_way(graph)
    graph.kill("controller")
    graph.until(lambda: graph.gate.state == fm.GateState.STOPPED, 10.0, "a stop")
    assert graph.gate.code == int(ErrorCode.COMMAND_SILENCE)
    graph.until(ending.done, 5.0, "the end of the task, though DDS misses nobody for 20 s")
    result = ending.result().result
    assert not result.success
    assert result.error_code == int(ErrorCode.CONTROLLER_UNAVAILABLE)
    # It comes to rest and stays there: nothing re-arms by itself. A damped quadruped is down within
    # a second and lies still soon after; its legs may creep on for half a minute, for nothing rubs
    # in them. The seconds are the simulation's, which a busy machine stretches.
    at_rest = graph.lies if graph.spec.name == "go2" else lambda: graph.moved() < 0.02
    since = graph.simulated_s
    graph.until(at_rest, 90.0, "the robot at rest")
    assert graph.simulated_s - since < 8.0
    graph.live(2.0)
    assert at_rest()
    assert graph.gate.state == fm.GateState.STOPPED
    assert graph.outside() == {}


def test_a_killed_planner_ends_the_subgoal_and_the_robot_holds(anew):
    graph = anew
    under_way(graph)
    doing = lambda: next(  # noqa: E731
        v.value for v in graph.diagnostics["controller"].values if v.key == "subgoal"
    )
    graph.until(doing, 10.0, "a sub-goal in the controller's diagnostics")
    graph.kill("planner")
    graph.until(lambda: not doing(), 10.0, "the end of the sub-goal")
    graph.until(lambda: graph.moved() < 0.01, 30.0, "the robot holding")
    graph.live(2.0)
    # The controller goes on commanding: it holds, and nothing has stopped it.
    assert graph.moved() < 0.01
    assert graph.armed
    assert graph.stops == 0
    assert graph.outside() == {}

"""The skill ``walk`` over rough ground, by the whole graph as ``fmrl up`` starts it."""

import numpy as np
import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")
pytest.importorskip("transformers", reason="needs the fm extra")

from full_graph import FullGraph
from nav_msgs.msg import Odometry
from rclpy.action import ActionClient

from fmrl_msgs import msg as fm
from fmrl_msgs.action import ExecuteSubGoal
from fmrl_nodes import qos

pytestmark = pytest.mark.graph

SPEED_M_S, DURATION_S = 0.6, 10.0


def test_it_walks_as_far_as_it_is_told_and_nothing_stops_it(tmp_path):
    graph = FullGraph("go2", tmp_path, scene="rough").ready()
    try:
        places = []
        graph.node.create_subscription(
            Odometry,
            "ground_truth/odom",
            lambda m: places.append(m.pose.pose.position),
            qos.SENSOR,
        )
        subgoals = ActionClient(graph.node, ExecuteSubGoal, "execute_subgoal")
        graph.until(lambda: places and subgoals.server_is_ready(), what="the controller")
        start = places[-1]
        goal = ExecuteSubGoal.Goal()
        walk = goal.subgoal
        walk.id, walk.kind, walk.skill = "over", fm.SubGoal.SKILL, "walk"
        walk.has_velocity, walk.velocity.linear.x = True, SPEED_M_S
        walk.duration_s, walk.timeout_s = DURATION_S, 3 * DURATION_S
        sent = subgoals.send_goal_async(goal)
        graph.until(sent.done, what="acceptance")
        ending = sent.result().get_result_async()
        graph.until(ending.done, 60.0, "the walk")
        result = ending.result().result
        assert result.outcome == ExecuteSubGoal.Result.SUCCEEDED, result
        end = places[-1]
        way = np.hypot(end.x - start.x, end.y - start.y)
        heights = np.ptp([p.z for p in places])
        assert way > 0.7 * SPEED_M_S * DURATION_S
        assert heights > 0.05, "the ground was rough"
        assert graph.stops == 0 and graph.outside() == {}
    finally:
        graph.close()

"""A quadruped that is sent to a marker goes there by its own odometry and its own camera."""

import numpy as np
import pytest
import yaml

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")
pytest.importorskip("transformers", reason="needs the fm extra")

from full_graph import FullGraph
from nav_msgs.msg import Odometry

from fmrl_nodes import conversions, qos
from fmrl_sim.goals import goal_of
from fmrl_sim.judge import judge

pytestmark = pytest.mark.graph

TASK = "walk to the red marker, then turn around"


def test_it_goes_to_a_marker_and_knows_where_it_is(tmp_path):
    table = tmp_path / "planner.yaml"
    table.write_text(
        yaml.safe_dump({f'Instruction: "{TASK}"\nAnswer:': "go(red_marker);turn(180)"})
    )
    graph = FullGraph("go2", tmp_path / "run", language_model=f"scripted:{table}").ready()
    try:
        believed = {}
        graph.node.create_subscription(
            Odometry,
            "odom",
            lambda m: believed.__setitem__(
                round(conversions.time_from_msg(m.header.stamp), 3), m.pose.pose.position
            ),
            qos.SENSOR,
        )
        result = graph.do(TASK)
        assert result.success, result.error_msg
        assert graph.stops == 0
        truth = {round(t, 3): at for t, at in graph.trunk}
        both = sorted(believed.keys() & truth.keys())
        off = [np.hypot(believed[t].x - truth[t][0], believed[t].y - truth[t][1]) for t in both]
        assert len(both) > 50 and max(off) < 0.2
    finally:
        graph.close()
    verdict = judge(tmp_path / "run", goal_of(TASK, "quadruped"))
    assert verdict.done, verdict.reason

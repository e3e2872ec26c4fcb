"""The table of the design, held against a running graph: who offers what, and how."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")
pytest.importorskip("transformers", reason="needs the fm extra")

from full_graph import NODES
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import GetParameters
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from shared_graph import NAMESPACE

pytestmark = pytest.mark.graph

RELIABLE, BEST_EFFORT = ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT
VOLATILE, LATCHED = DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL

TOPICS = {
    # topic: type, node that publishes it, reliability, durability
    "joint_command": ("fmrl_msgs/msg/JointCommand", "controller", RELIABLE, VOLATILE),
    "joint_states": ("sensor_msgs/msg/JointState", "sim", BEST_EFFORT, VOLATILE),
    "gate_state": ("fmrl_msgs/msg/GateState", "sim", RELIABLE, VOLATILE),
    "robot_description": ("std_msgs/msg/String", "sim", RELIABLE, LATCHED),
    "tf": ("tf2_msgs/msg/TFMessage", "sim", RELIABLE, VOLATILE),
    "tf_static": ("tf2_msgs/msg/TFMessage", "sim", RELIABLE, LATCHED),
    "/clock": ("rosgraph_msgs/msg/Clock", "sim", BEST_EFFORT, VOLATILE),
    "ground_truth/predicates": ("fmrl_msgs/msg/PredicateArray", "sim", RELIABLE, VOLATILE),
    "scene": ("fmrl_msgs/msg/Scene", "scene", RELIABLE, VOLATILE),
    "plan": ("fmrl_msgs/msg/Plan", "planner", RELIABLE, LATCHED),
    "subgoal": ("fmrl_msgs/msg/SubGoal", "planner", RELIABLE, LATCHED),
    "fm_usage": ("fmrl_msgs/msg/FMUsage", "planner", RELIABLE, VOLATILE),
    "reward": ("fmrl_msgs/msg/Reward", "reward", RELIABLE, VOLATILE),
}
QUADRUPED = {
    "imu/data": ("sensor_msgs/msg/Imu", "sim", BEST_EFFORT, VOLATILE),
    "foot_contacts": ("fmrl_msgs/msg/FootContacts", "sim", BEST_EFFORT, VOLATILE),
    "odom": ("nav_msgs/msg/Odometry", "controller", BEST_EFFORT, VOLATILE),
    "ground_truth/odom": ("nav_msgs/msg/Odometry", "sim", BEST_EFFORT, VOLATILE),
}
CAMERAS = {"panda": ("front", "wrist"), "go2": ("follow", "head")}
HEARD = {
    "joint_command": {"sim"},
    "joint_states": {"controller", "monitor"},
    "scene": {"planner", "controller"},
    "reward": {"planner"},
    "subgoal": {"reward", "controller", "monitor"},
}
"""Nodes that listen, at least."""
ACTIONS = {
    "execute_task": ("fmrl_msgs/action/ExecuteTask", "planner"),
    "execute_subgoal": ("fmrl_msgs/action/ExecuteSubGoal", "controller"),
    "ask_human": ("fmrl_msgs/action/AskHuman", "monitor"),
}
SERVICES = {
    "acquire_lease": "fmrl_msgs/srv/AcquireLease",
    "stop": "std_srvs/srv/Trigger",
    "gate/rearm": "std_srvs/srv/Trigger",
    "sim/reset": "fmrl_msgs/srv/ResetSim",
}


TOOL = """
import sys, time
import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import JointState

rclpy.init()
node, heard = rclpy.create_node("tool"), []
node.create_subscription(JointState, sys.argv[1], heard.append, qos_profile_sensor_data)
end = time.monotonic() + 20.0
while not heard and time.monotonic() < end:
    rclpy.spin_once(node, timeout_sec=0.1)
print(len(heard), "shared" if "/dev/shm/fastdds" in open("/proc/self/maps").read() else "sockets")
"""
"""A process of somebody else, with the middleware as it comes."""


@pytest.fixture
def graph(running):
    return running


def topics_of(graph):
    robot = graph.spec.name
    cameras = {
        f"camera/{camera}/{topic}": (f"sensor_msgs/msg/{kind}", "sim", BEST_EFFORT, VOLATILE)
        for camera in CAMERAS[robot]
        for topic, kind in (
            ("image_raw", "Image"),
            ("depth", "Image"),
            ("camera_info", "CameraInfo"),
        )
    }
    return {**TOPICS, **cameras, **(QUADRUPED if graph.spec.kind == "quadruped" else {})}


def absolute(name):
    return name if name.startswith("/") else f"/{NAMESPACE}/{name}"


def test_each_node_is_a_process_of_its_own(graph):
    found = dict(graph.node.get_node_names_and_namespaces())
    assert {f"{name}_node" for name in NODES} <= found.keys()
    assert {found[f"{name}_node"] for name in NODES} == {f"/{NAMESPACE}"}
    pids = graph.pids
    assert len({pids[f"{name}_node"] for name in NODES}) == len(NODES)
    assert all(psutil.pid_exists(pid) for pid in pids.values())


def test_nodes_speak_through_sockets_that_no_other_machine_reaches(graph):
    """What one of them leaves in shared memory when it is killed holds the others up."""
    for name, pid in graph.pids.items():
        assert "/dev/shm/fastdds" not in Path(f"/proc/{pid}/maps").read_text(), name
        sockets = psutil.Process(pid).net_connections(kind="udp")
        assert {s.laddr.ip for s in sockets} == {"127.0.0.1"}, name


@pytest.mark.parametrize("discovery", ["", "SUBNET", "LOCALHOST"])
def test_a_tool_without_our_settings_hears_the_graph(graph, discovery):
    env = {k: v for k, v in os.environ.items() if k != "FASTDDS_DEFAULT_PROFILES_FILE"}
    env |= {"ROS_DOMAIN_ID": str(graph.context.get_domain_id())}
    env |= {"ROS_AUTOMATIC_DISCOVERY_RANGE": discovery} if discovery else {}
    words = [sys.executable, "-c", TOOL, absolute("joint_states")]
    told = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60, check=True)
    heard, through = told.stdout.split()
    assert int(heard) > 0
    # The other side of the test above: this is how shared memory would be seen.
    assert through == "shared"


def test_every_topic_has_its_type_publisher_and_quality_of_service(graph):
    found = {}
    for topic, (_, publisher, *_) in topics_of(graph).items():
        offers = graph.node.get_publishers_info_by_topic(absolute(topic))
        found[topic] = next(
            (
                (o.topic_type, publisher, o.qos_profile.reliability, o.qos_profile.durability)
                for o in offers
                if o.node_name == f"{publisher}_node"
            ),
            None,
        )
    assert found == topics_of(graph)


def test_a_command_has_one_publisher_and_everybody_hears_what_concerns_him(graph):
    assert len(graph.node.get_publishers_info_by_topic(absolute("joint_command"))) == 1
    for topic, listeners in HEARD.items():
        wanted = {f"{name}_node" for name in listeners}

        def heard(topic=topic, wanted=wanted):
            found = graph.node.get_subscriptions_info_by_topic(absolute(topic))
            return wanted <= {h.node_name for h in found}

        # The monitor looks for new topics once a second.
        graph.until(heard, 10.0, f"{wanted} to listen to {topic}")


def test_nothing_but_clock_and_diagnostics_is_outside_the_namespace(graph):
    names = {name for name, _ in graph.node.get_topic_names_and_types()}
    outside = {n for n in names if not n.startswith(f"/{NAMESPACE}/")}
    ours = {"/clock", "/diagnostics", "/diagnostics_agg"}
    assert outside <= {*ours, "/rosout", "/parameter_events"}


def test_actions_and_services_are_where_the_design_says(graph):
    for action, (kind, node) in ACTIONS.items():
        offered = dict(
            graph.node.get_service_names_and_types_by_node(f"{node}_node", f"/{NAMESPACE}")
        )
        name = f"/{NAMESPACE}/{action}/_action/send_goal"
        assert offered.get(name) == [f"{kind}_SendGoal"], (action, offered)
    offered = dict(graph.node.get_service_names_and_types_by_node("sim_node", f"/{NAMESPACE}"))
    assert {n: offered.get(absolute(n)) for n in SERVICES} == {n: [k] for n, k in SERVICES.items()}


def test_every_node_is_active_diagnoses_itself_and_takes_simulated_time(graph):
    for name in NODES:
        state = graph.call(GetState, f"{name}_node/get_state", GetState.Request())
        assert state.current_state.id == State.PRIMARY_STATE_ACTIVE, name
        answer = graph.call(
            GetParameters,
            f"{name}_node/get_parameters",
            GetParameters.Request(names=["use_sim_time"]),
        )
        assert answer.values[0].bool_value, name
        assert graph.diagnostics[name].level == b"\x00", graph.diagnostics[name]
        assert NAMESPACE in graph.diagnostics[name].name


def test_a_node_can_be_deactivated_and_activated_again(graph):
    for transition, wanted in (
        (Transition.TRANSITION_DEACTIVATE, State.PRIMARY_STATE_INACTIVE),
        (Transition.TRANSITION_ACTIVATE, State.PRIMARY_STATE_ACTIVE),
    ):
        request = ChangeState.Request(transition=Transition(id=transition))
        assert graph.call(ChangeState, "reward_node/change_state", request).success
        state = graph.call(GetState, "reward_node/get_state", GetState.Request())
        assert state.current_state.id == wanted


def test_a_task_is_carried_out_in_the_namespace(graph):
    task = {"go2": "trot in place", "panda": "open the drawer"}[graph.spec.name]
    result = graph.do(task)
    assert result.success, result.error_msg
    assert graph.outside() == {}

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

rclpy_msgs = pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")

from geometry_msgs.msg import Quaternion  # noqa: E402
from rclpy.serialization import deserialize_message, serialize_message  # noqa: E402
from sensor_msgs.msg import JointState  # noqa: E402

from fmrl_nodes import conversions  # noqa: E402
from fmrl_robot.robots import GO2, PANDA  # noqa: E402
from fmrl_robot.types import (  # noqa: E402
    SAYTAP_LEGS,
    UNITREE_LEGS,
    ContactPattern,
    JointCommand,
    Plan,
    PlanStatus,
    Pose,
    Predicate,
    Problem,
    RewardOut,
    Scene,
    SceneObject,
    SubGoal,
    SubGoalKind,
    Success,
    Usage,
    Velocity,
)

finite = st.floats(-1e6, 1e6, allow_nan=False, width=64)
names = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12)
words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)


def vectors(n):
    return arrays(np.float64, n, elements=finite)


def unit(vector):
    """The rotation nearest to a vector of four."""
    norm = float(np.linalg.norm(vector))
    return vector / norm if norm > 1e-3 else np.array([1.0, 0.0, 0.0, 0.0])


quaternions = vectors(4).map(unit)
predicates = st.builds(
    Predicate, names, st.lists(names, max_size=3).map(tuple), value=st.booleans()
)
poses = st.builds(Pose, position=vectors(3), quaternion=quaternions, frame=names)
velocities = st.builds(Velocity, vx=finite, vy=finite, wz=finite)
patterns = st.integers(1, 30).flatmap(
    lambda length: st.builds(
        ContactPattern,
        contacts=arrays(np.bool_, (4, length)),
        legs=st.permutations(SAYTAP_LEGS).map(tuple),
        dt_s=st.floats(0.001, 1.0),
    )
)
subgoals = st.builds(
    SubGoal,
    id=names,
    kind=st.sampled_from(SubGoalKind),
    text=words,
    skill=words,
    target=words,
    termination=st.none() | predicates,
    pose=st.none() | poses,
    velocity=st.none() | velocities,
    pattern=st.none() | patterns,
    predicates=st.lists(predicates, max_size=3).map(tuple),
    embedding=st.none() | vectors(5),
    params=st.lists(st.tuples(names, words), max_size=3).map(tuple),
    duration_s=st.floats(0, 100),
    timeout_s=st.floats(0, 100),
)
plans = st.builds(
    Plan,
    instruction=words,
    method=names,
    task_id=words,
    subgoals=st.lists(subgoals, max_size=3).map(tuple),
    edges=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=3).map(tuple),
    weights=st.lists(finite, max_size=3).map(tuple),
    goal=st.lists(predicates, max_size=3).map(tuple),
    status=st.sampled_from(PlanStatus),
    problems=st.lists(
        st.builds(
            Problem, code=st.integers(0, 999), message=words, step=st.none() | st.integers(0, 9)
        ),
        max_size=2,
    ).map(tuple),
)
objects = st.builds(
    SceneObject,
    name=names,
    category=names,
    color=names,
    pose=st.builds(Pose, position=vectors(3), quaternion=quaternions, frame=st.just("table")),
    size=vectors(3).map(np.abs),
    travel=finite,
    confidence=st.floats(0, 1),
    visible=st.booleans(),
)


def over_the_wire(message):
    return deserialize_message(serialize_message(message), type(message))


def same(a, b):
    """Equality that looks into arrays and nested values."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and np.array_equal(a, b)
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, "__dataclass_fields__"):
        return type(a) is type(b) and all(
            same(getattr(a, f), getattr(b, f)) for f in a.__dataclass_fields__
        )
    return a == b


@given(subgoals)
def test_a_subgoal_survives_the_wire(subgoal):
    message = over_the_wire(conversions.subgoal_to_msg(subgoal, 12.5))
    assert same(conversions.subgoal_from_msg(message), subgoal)


@given(plans)
def test_a_plan_survives_the_wire(plan):
    assert same(conversions.plan_from_msg(over_the_wire(conversions.plan_to_msg(plan))), plan)


@given(st.lists(objects, max_size=3), st.frozensets(predicates, max_size=4), words)
def test_a_scene_survives_the_wire(things, facts, caption):
    scene = Scene(
        stamp_s=3.25,
        objects=tuple(things),
        predicates=facts,
        caption=caption,
        source="ground_truth",
    )
    message = over_the_wire(conversions.scene_to_msg(scene, "table"))
    assert same(conversions.scene_from_msg(message), scene)


@given(finite, st.sampled_from(Success), st.lists(st.tuples(names, finite), max_size=3))
def test_a_reward_survives_the_wire(value, success, components):
    reward = RewardOut(value=value, success=success, components=tuple(components), confidence=0.5)
    message = conversions.reward_to_msg(reward, stamp_s=1.0, subgoal_id="s", source="vlm_rm")
    assert same(conversions.reward_from_msg(over_the_wire(message)), reward)


counts = st.integers(0, 2**32 - 1)
usages = st.builds(
    Usage,
    role=words,
    model=words,
    prompt_sha256=names,
    seed=st.integers(0, 2**64 - 1),
    calls=counts,
    prompt_tokens=counts,
    completion_tokens=counts,
    latency_s=finite,
    cost=finite,
    cached=st.booleans(),
)


@given(usages)
def test_what_a_question_cost_survives_the_wire(usage):
    message = conversions.usage_to_msg(usage, stamp_s=2.0, node="planner_node")
    assert over_the_wire(message).node == "planner_node"
    assert same(conversions.usage_from_msg(over_the_wire(message)), usage)


def test_quaternions_change_order():
    message = conversions.quaternion_to_msg(np.array([0.1, 0.3, 0.5, 0.8]))
    assert (message.w, message.x, message.y, message.z) == (0.1, 0.3, 0.5, 0.8)
    back = conversions.quaternion_from_msg(Quaternion(x=0.3, y=0.5, z=0.8, w=0.1))
    assert back.tolist() == [0.1, 0.3, 0.5, 0.8]


@given(quaternions, vectors(3))
def test_an_imu_reading_survives_the_wire(wxyz, rate):
    message = over_the_wire(conversions.imu_to_msg(wxyz, rate, 1.0, "base"))
    got_wxyz, got_rate = conversions.imu_from_msg(message)
    assert np.array_equal(got_wxyz, wxyz)
    assert np.array_equal(got_rate, rate)


@given(st.permutations(range(12)), vectors(12), vectors(12))
def test_joint_states_are_read_by_name_in_any_order(order, q, dq):
    message = JointState(
        name=[GO2.joint_names[i] for i in order],
        position=[q[i] for i in order],
        velocity=[dq[i] for i in order],
    )
    got_q, got_dq, effort = conversions.joint_state_from_msg(over_the_wire(message), GO2)
    assert np.array_equal(got_q, q)
    assert np.array_equal(got_dq, dq)
    assert effort is None


def test_a_missing_joint_is_named():
    message = JointState(name=["panda_joint1"], position=[0.0], velocity=[0.0])
    with pytest.raises(ValueError, match="panda_joint2"):
        conversions.joint_state_from_msg(message, PANDA)


@given(arrays(np.bool_, 4))
def test_foot_contacts_are_read_by_leg_name(contacts):
    message = conversions.contacts_to_msg(SAYTAP_LEGS, contacts, np.zeros(4), 0.0)
    assert np.array_equal(conversions.contacts_from_msg(message, SAYTAP_LEGS), contacts)
    swapped = conversions.contacts_from_msg(message, UNITREE_LEGS)
    assert np.array_equal(swapped, contacts[[1, 0, 3, 2]])


@given(st.integers(0, 2**40), vectors(8))
def test_a_command_survives_the_wire(seq, values):
    command = JointCommand(
        seq=seq,
        stamp_s=1.5,
        observation_stamp_s=1.25,
        lease="token",
        names=PANDA.joint_names,
        position=values,
        velocity=values + 1,
        effort=values + 2,
        kp=values + 3,
        kd=values + 4,
    )
    message = over_the_wire(conversions.command_to_msg(command))
    assert same(conversions.command_from_msg(message), command)


def test_a_pattern_of_the_wrong_size_is_refused():
    message = rclpy_msgs.ContactPattern(legs=["FL", "FR"], length=3, contacts=[True] * 5)
    with pytest.raises(ValueError, match="2 legs x 3"):
        conversions.pattern_from_msg(message)


def test_time_keeps_its_nanoseconds():
    message = conversions.time_to_msg(1.999999999)
    assert (message.sec, message.nanosec) == (1, 999999999)
    assert conversions.time_from_msg(conversions.time_to_msg(123.02)) == pytest.approx(123.02)

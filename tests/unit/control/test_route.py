"""Ways around what stands on the floor, and the guides that follow them, without physics."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from fmrl_robot.control.floor_skills import AROUND_M, BEFORE_M, FloorSkills
from fmrl_robot.control.guide import Straight, Turn
from fmrl_robot.control.route import clear, rim, route
from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.planners.gait_language import parse
from fmrl_robot.types import Pose, RobotState, Scene, SceneObject

ORIGIN = np.zeros(2)


def length(start, way):
    return np.linalg.norm(np.diff(np.concatenate([start[None], way]), axis=0), axis=1).sum()


def test_with_nothing_in_the_way_it_is_straight_and_to_the_nearest():
    goals = np.array([[2.0, 0.0], [0.0, 1.0]])
    assert np.allclose(route(ORIGIN, goals, np.zeros((0, 2)), 0.5), [[0.0, 1.0]])


def test_it_goes_around_and_not_much_further_than_it_must():
    goal, thing = np.array([[4.0, 0.0]]), np.array([[2.0, 0.1]])
    way = route(ORIGIN, goal, thing, 0.5)
    points = [ORIGIN, *way]
    for a, b in itertools.pairwise(points):
        assert clear(a, b[None], thing, np.array([0.5]))[0]
    assert not clear(ORIGIN, goal, thing, np.array([0.5]))[0]
    assert 4.0 < length(ORIGIN, way) < 4.4
    assert way[len(way) // 2][1] < 0.1  # the shorter side


def test_who_stands_too_near_may_leave_but_not_come_nearer():
    thing = np.array([[0.3, 0.0]])
    way = route(ORIGIN, np.array([[-1.0, 0.0]]), thing, 0.5)
    assert np.allclose(way, [[-1.0, 0.0]])
    around = route(ORIGIN, np.array([[1.5, 0.0]]), thing, 0.5)
    assert all(np.linalg.norm(corner - thing[0]) >= 0.3 for corner in around)


def test_a_place_that_is_walled_in_has_no_way():
    walls = rim(np.array([3.0, 0.0]), 0.9, 9)
    with pytest.raises(FmrlError, match=r"keeps 0\.50 m") as caught:
        route(ORIGIN, np.array([[3.0, 0.0]]), walls, 0.5)
    assert caught.value.code is ErrorCode.NO_PATH


# --- guides, on a point that does as it is told ---------------------------------------------------


def state_at(x, y, yaw, t):
    return RobotState(
        stamp_s=t,
        q=np.zeros(12),
        dq=np.zeros(12),
        position=np.array([x, y, 0.3]),
        quaternion=np.array([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)]),
    )


EMPTY = Scene(stamp_s=0.0)


def markers(**places):
    return Scene(
        stamp_s=0.0,
        objects=tuple(
            SceneObject(
                name=f"{name}_marker",
                category="marker",
                color=name,
                pose=Pose(position=np.array([*at, 0.15])),
                size=np.array([0.24, 0.24, 0.3]),
            )
            for name, at in places.items()
        ),
    )


def led(guide, scene=None, start=(0.0, 0.0, 0.0), seconds=60.0):
    """Where a guide leads, (rows, 3) of x, y, yaw."""
    x, y, yaw = start
    rows = [(x, y, yaw)]
    for tick in range(round(seconds / 0.02)):
        now = replace(scene or EMPTY, stamp_s=0.02 * tick)
        velocity = guide.steer(state_at(x, y, yaw, 0.02 * tick), now)
        if velocity is None:
            return np.array(rows)
        x += 0.02 * (velocity.vx * np.cos(yaw) - velocity.vy * np.sin(yaw))
        y += 0.02 * (velocity.vx * np.sin(yaw) + velocity.vy * np.cos(yaw))
        yaw += 0.02 * velocity.wz
        rows.append((x, y, yaw))
    raise AssertionError(f"still on its way at {rows[-1]}")


def guide(text, scene=None, skills=None):
    (subgoal,) = parse(text)
    skills = skills or FloorSkills()
    return skills.guide(subgoal, state_at(0.0, 0.0, 0.0, 0.0), scene)


def test_it_stops_before_a_marker_facing_it_and_keeps_clear_of_another():
    scene = markers(red=(3.0, 0.0), blue=(1.5, 0.1))
    rows = led(guide("go(red_marker)", scene), scene)
    x, y, yaw = rows[-1]
    assert abs(np.hypot(3.0 - x, -y) - BEFORE_M) < 0.15
    assert abs(np.arctan2(-y, 3.0 - x) - yaw) < 0.1
    assert np.linalg.norm(rows[:, :2] - (1.5, 0.1), axis=1).min() > 0.47


def test_a_marker_that_turns_out_to_be_elsewhere_is_followed():
    first, later = markers(red=(2.0, 0.0)), markers(red=(2.0, 1.0))
    goes = guide("go(red_marker)", first)
    assert goes.steer(state_at(0.0, 0.0, 0.0, 0.0), first) is not None
    rows = led(goes, later)
    assert abs(np.linalg.norm(rows[-1, :2] - (2.0, 1.0)) - BEFORE_M) < 0.15


def test_around_is_once_around_and_ends_where_it_began():
    scene = markers(blue=(2.0, 0.0))
    rows = led(guide("around(blue_marker)", scene), scene, seconds=90.0)
    apart = rows[:, :2] - (2.0, 0.0)
    near = np.linalg.norm(apart, axis=1) < AROUND_M + 0.2
    angle = np.unwrap(np.arctan2(apart[:, 1], apart[:, 0]))
    assert angle[-1] - angle[0] > np.radians(330)
    assert near[-1] and np.linalg.norm(apart, axis=1).min() > 0.5


def test_around_keeps_its_way_round_where_another_thing_stands_on_it():
    """The shorter way to the next place would be back, the other way round."""
    scene = markers(red=(1.82, -0.97), blue=(1.72, -0.08))
    rows = led(guide("around(red_marker)", scene), scene, seconds=90.0)
    apart = rows[:, :2] - (1.82, -0.97)
    angle = np.unwrap(np.arctan2(apart[:, 1], apart[:, 0]))
    assert angle[-1] - angle[0] > np.radians(330)
    assert np.linalg.norm(rows[:, :2] - (1.72, -0.08), axis=1).min() > 0.45


@pytest.mark.parametrize("degrees", [90, -45, 180, -360])
def test_a_turn_turns_by_what_is_said_even_once_around(degrees):
    rows = led(guide(f"turn({degrees})"))
    assert abs(np.degrees(rows[-1, 2]) - degrees) < 5
    assert np.abs(rows[:, :2]).max() == 0.0


@pytest.mark.parametrize(("text", "end"), [("walk(-2)", (-2.0, 0.0)), ("walk(0,1)", (0.0, 1.0))])
def test_a_way_is_straight_and_keeps_its_heading(text, end):
    rows = led(guide(text))
    assert np.linalg.norm(rows[-1, :2] - end) < 0.08
    assert np.abs(rows[:, 2]).max() < 0.01


def test_a_way_that_something_stands_in_is_refused():
    with pytest.raises(FmrlError, match="without anything in the way") as caught:
        led(guide("walk(2)"), markers(red=(1.5, 0.1)))
    assert caught.value.code is ErrorCode.NO_PATH
    assert led(guide("walk(2)"), markers(red=(1.5, 1.0)))[-1, 0] > 1.9


def test_it_goes_back_to_where_a_step_began():
    skills = FloorSkills()
    (first,) = parse("go(red_marker)")
    skills.remember(first, state_at(1.0, 2.0, 0.5, 0.0))
    (back,) = parse("go(start)")
    rows = led(skills.guide(back, state_at(0.0, 0.0, 0.0, 1.0), None))
    assert np.linalg.norm(rows[-1, :2] - (1.0, 2.0)) < 0.15
    assert abs(rows[-1, 2] - 0.5) < 0.1


def test_what_is_not_known_is_told_by_name():
    with pytest.raises(FmrlError, match="'red_marker'") as caught:
        guide("go(red_marker)", markers(blue=(1.0, 0.0)))
    assert caught.value.code is ErrorCode.TARGET_NOT_SEEN
    with pytest.raises(FmrlError, match="earlier step") as caught:
        guide("go(start)")
    assert caught.value.code is ErrorCode.TARGET_NOT_SEEN
    (turn,) = parse("turn(90)")
    lost = replace(state_at(0.0, 0.0, 0.0, 0.0), position=None)
    with pytest.raises(FmrlError, match="leg_shape") as caught:
        FloorSkills().guide(turn, lost, None)
    assert caught.value.code is ErrorCode.OBSERVATION_STALE


@pytest.mark.parametrize("text", ["go(red_marker)", "around(red_marker)", "walk(2)"])
def test_nobody_walks_on_blind_when_the_eyes_have_failed(text):
    scene = markers(red=(3.0, 1.0))
    goes = guide(text, scene)
    assert goes.steer(state_at(0.0, 0.0, 0.0, 1.0), scene) is not None
    for late in (scene, None):
        with pytest.raises(
            FmrlError, match=r"scene not older than 2 s|seen 'red_marker'"
        ) as caught:
            goes.steer(state_at(0.0, 0.0, 0.0, 9.0), late)
        assert caught.value.code in (ErrorCode.OBSERVATION_STALE, ErrorCode.TARGET_NOT_SEEN)


def test_progress_grows_to_one():
    turn = Turn(state_at(0.0, 0.0, 0.0, 0.0), 1.0)
    before = turn.progress
    led(turn)
    assert before == 0.0 and turn.progress > 0.9
    straight = Straight(state_at(0.0, 0.0, 0.0, 0.0), np.array([1.0, 0.0]))
    led(straight)
    assert straight.progress > 0.9

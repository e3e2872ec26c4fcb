"""Transits: what is in the way is seen, gone around, or refused."""

from itertools import pairwise

import numpy as np
import pytest

from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.motion import ArmPlanner, time_path, tool_down
from fmrl_robot.motion.collision import Box
from fmrl_robot.motion.obstacles import obstacles
from fmrl_robot.robots import PANDA
from fmrl_robot.types import Pose, Scene, SceneObject


@pytest.fixture(scope="module")
def planner():
    return ArmPlanner(PANDA)


def block(name, position, size):
    return SceneObject(
        name=name,
        category="bin",
        color="grey",
        pose=Pose(position=np.array(position)),
        size=np.array(size),
    )


EMPTY = Scene(stamp_s=0.0)
WALL = Scene(stamp_s=0.0, objects=(block("wall", [0.45, 0.0, 0.20], [0.30, 0.06, 0.40]),))
LEFT, RIGHT = (
    tool_down(np.array([0.5, 0.3, 0.15]), 1.6),
    tool_down(np.array([0.5, -0.3, 0.15]), 1.6),
)


def between(path, spacing=0.005):
    for a, b in pairwise(path):
        steps = max(1, int(np.ceil(np.abs(b - a).max() / spacing)))
        yield from (a + (b - a) * i / steps for i in range(steps + 1))


def test_home_is_free_and_a_hand_in_the_table_is_not(planner):
    planner.collision.carry(None)
    planner.collision.set_obstacles(())
    assert planner.collision.free(PANDA.default)
    inside = planner.kinematics.solve(tool_down(np.array([0.5, 0.0, 0.1]), 1.6), PANDA.default)
    assert planner.collision.free(inside)
    planner.collision.set_obstacles((Box(center=np.array([0.5, 0, 0.05]), half=np.full(3, 0.05)),))
    assert any("obstacle0" in pair for pair in planner.collision.touches(inside))
    planner.collision.set_obstacles(())
    assert planner.collision.free(inside)


def test_what_the_hand_carries_collides_too(planner):
    q = planner.kinematics.solve(tool_down(np.array([0.5, 0.0, 0.15]), 1.6), PANDA.default)
    planner.collision.set_obstacles((Box(center=np.array([0.5, 0, 0.05]), half=np.full(3, 0.05)),))
    planner.collision.carry(None)
    assert planner.collision.free(q)
    planner.collision.carry(Box(center=np.array([0, 0, 0.05]), half=np.full(3, 0.02)))
    assert not planner.collision.free(q)
    planner.collision.carry(None)


def test_a_path_goes_around_a_wall_that_a_straight_one_would_hit(planner):
    start = planner.kinematics.solve(LEFT, PANDA.default)
    straight = planner.plan(start, RIGHT, EMPTY)
    around = planner.plan(start, RIGHT, WALL)
    planner.collision.set_obstacles(obstacles(WALL), margin_m=0.0)
    assert all(planner.collision.free(q) for q in between(around))
    assert not all(planner.collision.free(q) for q in between(straight))
    assert np.linalg.norm(planner.kinematics.tool(around[-1])[0] - RIGHT.position) < 2e-3


def test_a_walled_in_goal_is_refused_with_its_code(planner):
    x, y = RIGHT.position[:2]
    walls = tuple(
        block(f"wall{i}", [x + dx, y + dy, 0.25], size)
        for i, (dx, dy, size) in enumerate(
            [
                (0.16, 0, [0.04, 0.4, 0.5]),
                (-0.16, 0, [0.04, 0.4, 0.5]),
                (0, 0.16, [0.4, 0.04, 0.5]),
                (0, -0.16, [0.4, 0.04, 0.5]),
            ]
        )
    )
    start = planner.kinematics.solve(LEFT, PANDA.default)
    with pytest.raises(FmrlError) as error:
        planner.plan(start, RIGHT, Scene(stamp_s=0.0, objects=walls))
    assert error.value.code == ErrorCode.NO_PATH


def test_out_of_reach_is_refused_with_its_code(planner):
    with pytest.raises(FmrlError, match="out of reach") as error:
        planner.plan(PANDA.default, tool_down(np.array([1.2, 0.0, 0.1])), EMPTY)
    assert error.value.code == ErrorCode.NO_PATH


def test_a_hand_beside_a_cube_leaves_upwards(planner):
    low = planner.kinematics.solve(tool_down(np.array([0.5, 0.3, 0.012]), 1.6), PANDA.default)
    cube = SceneObject(
        name="red_cube",
        category="cube",
        color="red",
        pose=Pose(position=np.array([0.5, 0.3, 0.02])),
        size=np.full(3, 0.04),
    )
    path = planner.plan(low, RIGHT, Scene(stamp_s=0.0, objects=(cube,)))
    heights = [planner.kinematics.tool(q)[0] for q in path]
    assert heights[1][2] > heights[0][2]
    assert np.allclose(heights[1][:2], heights[0][:2], atol=3e-3)


def test_a_timed_path_keeps_velocity_and_acceleration(planner):
    start = planner.kinematics.solve(LEFT, PANDA.default)
    waypoints = planner.plan(start, RIGHT, WALL)
    limit, acceleration = 0.5 * PANDA.velocity, np.full(8, 5.0)
    trajectory = time_path(waypoints, limit, acceleration, 0.02)
    assert np.allclose(trajectory.positions[0], waypoints[0])
    assert np.allclose(trajectory.positions[-1], waypoints[-1])
    speed = np.diff(trajectory.positions, axis=0) / 0.02
    assert np.all(np.abs(speed).max(axis=0) <= limit + 1e-6)
    assert np.abs(np.diff(speed, axis=0) / 0.02).max() < 2.5 * 5.0
    assert np.abs(speed[0]).max() < 0.3 and np.abs(speed[-1]).max() < 0.3
    assert np.all(np.abs(np.diff(trajectory.positions, axis=0)) < PANDA.step)


def test_no_motion_gives_one_sample():
    trajectory = time_path(np.stack([PANDA.default] * 2), PANDA.velocity, np.full(8, 5.0), 0.02)
    assert len(trajectory.positions) == 1

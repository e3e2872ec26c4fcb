"""Regions: where a sub-goal takes the hand, given what else stands there."""

import numpy as np
import pytest

from fmrl_robot.control.regions import Held, region
from fmrl_robot.errors import ErrorCode, FmrlError
from fmrl_robot.types import Pose, Scene, SceneObject

SIZES = {"cube": [0.04] * 3, "bowl": [0.18, 0.18, 0.05], "bin": [0.16, 0.16, 0.05]}


def thing(name, x, y, z, category="cube", yaw=0.0):
    return SceneObject(
        name=name,
        category=category,
        color="",
        pose=Pose(
            position=np.array([x, y, z]),
            quaternion=np.array([np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)]),
        ),
        size=np.array(SIZES[category]),
    )


def scene(*objects):
    return Scene(stamp_s=0.0, objects=objects)


RED = thing("red_cube", 0.5, 0.0, 0.02)


def finger_axis(heading):
    return np.array([np.sin(heading), -np.cos(heading)])


def test_a_lone_cube_may_be_gripped_from_every_side():
    found = region("grasp", "red_cube", scene(RED), None)
    assert len(found.targets) == 4
    assert np.allclose(found.targets[:, :3], RED.pose.position)
    assert all(start.position[2] > 0.1 for start in found.starts)


def test_fingers_do_not_go_where_a_neighbour_stands():
    neighbour = thing("blue_cube", 0.5, 0.06, 0.02)
    found = region("grasp", "red_cube", scene(RED, neighbour), None)
    assert len(found.targets) == 2
    assert all(abs(finger_axis(h)[1]) < 0.01 for h in found.targets[:, 3])


def test_the_hand_does_not_hit_a_tower_beyond_the_fingers():
    near = thing("blue_cube", 0.5, 0.11, 0.02)
    tower = (near, thing("green_cube", 0.5, 0.11, 0.06))
    assert len(region("grasp", "red_cube", scene(RED, near), None).targets) == 4
    found = region("grasp", "red_cube", scene(RED, *tower), None)
    assert all(abs(finger_axis(h)[1]) < 0.01 for h in found.targets[:, 3])


def test_the_second_cube_in_a_bowl_lies_beside_the_first():
    bowl = thing("bowl", 0.4, 0.2, 0.025, "bowl")
    first = thing("blue_cube", 0.4, 0.2, 0.026)
    held = Held(name="red_cube", offset=np.zeros(3))
    alone = region("place", "bowl", scene(bowl, RED), held).targets
    beside = region("place", "bowl", scene(bowl, first, RED), held).targets
    assert np.allclose(alone[:, :2], bowl.pose.position[:2])
    apart = np.linalg.norm(beside[:, :2] - first.pose.position[:2], axis=1)
    assert np.all(apart > 0.025)
    assert np.all(np.linalg.norm(beside[:, :2] - bowl.pose.position[:2], axis=1) < 0.06)


def test_an_object_held_off_centre_moves_the_hand_and_not_the_goal():
    base = thing("blue_cube", 0.5, 0.0, 0.02)
    held = Held(name="red_cube", offset=np.array([0.006, 0.0, -0.004]))
    for x, y, z, heading in region("place", "blue_cube", scene(base), held).targets:
        c, s = np.cos(heading), np.sin(heading)
        cube = np.array([x + c * 0.006, y + s * 0.006, z + 0.004])
        assert np.allclose(cube, [0.5, 0.0, 0.062], atol=1e-9)


def test_a_place_on_the_table_is_away_from_everything():
    objects = [RED, thing("bowl", 0.45, 0.1, 0.025, "bowl"), thing("bin", 0.5, -0.2, 0.025, "bin")]
    held = Held(name="green_cube", offset=np.zeros(3))
    spot = region("place", "table", scene(*objects), held).targets[0, :2]
    gaps = [np.linalg.norm(spot - o.pose.position[:2]) - o.size[0] / 2 for o in objects]
    assert min(gaps) > 0.05


def test_leaving_out_a_heading_keeps_another():
    found = region("grasp", "red_cube", scene(RED), None)
    failed = float(found.targets[0, 3])
    left = found.without(failed)
    assert len(left.targets) == len(left.starts) == 3
    assert np.all(np.abs(left.targets[:, 3] - failed) > 0.3)
    assert found.without(None) is found


@pytest.mark.parametrize(
    ("skill", "target", "held", "code"),
    [
        ("grasp", "green_cube", None, ErrorCode.TARGET_NOT_SEEN),
        ("open", "drawer", None, ErrorCode.TARGET_NOT_SEEN),
        ("place", "red_cube", None, ErrorCode.SUBGOAL_FAILED),
    ],
)
def test_what_is_impossible_has_its_code(skill, target, held, code):
    with pytest.raises(FmrlError) as error:
        region(skill, target, scene(RED), held)
    assert error.value.code == code

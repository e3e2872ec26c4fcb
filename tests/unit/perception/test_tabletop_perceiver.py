"""Perception against rendered pictures of which the truth is known."""

import numpy as np
import pytest

from fmrl_robot.perception import CameraView, Proprioception, perceiver_for
from fmrl_robot.registry import SCENES
from fmrl_robot.robots import PANDA
from fmrl_robot.safety import Gate
from fmrl_robot.types import Predicate
from fmrl_sim.body import MujocoBody
from fmrl_sim.render import SceneRenderer, intrinsics, optical_pose
from fmrl_sim.scenes.base import SceneOptions
from fmrl_sim.true_scene import true_scene

SIZE = 224
AWAY = np.array([0.3, 0.0, 0.5])


class Eye:
    """A simulated table and its camera."""

    def __init__(self):
        self.body = MujocoBody(SCENES.load("tabletop")("panda"), Gate(PANDA))
        self.renderer = SceneRenderer(self.body.model, SIZE, SIZE)

    def view(self):
        model, data = self.body.model, self.body.data
        frame = self.renderer.frame(data, "front")
        position, rotation = optical_pose(data, "front")
        return CameraView(
            rgb=frame.rgb,
            depth=frame.depth,
            intrinsics=intrinsics(model, "front", SIZE, SIZE),
            rotation_to_world=rotation,
            position_in_world=position,
        )

    def set(self, seed, options=None):
        self.body.reset(seed, options or SceneOptions())
        for _ in range(50):
            self.body.tick()


@pytest.fixture(scope="module")
def eye():
    return Eye()


OPTIONS = {
    "plain": SceneOptions(),
    "drawer open": SceneOptions(drawer_open=True),
    "in bowl and bin": SceneOptions(at=(("red_cube", "bowl"), ("blue_cube", "bin"))),
    "stacked": SceneOptions(at=(("red_cube", "blue_cube"),)),
    "in the drawer": SceneOptions(drawer_open=True, at=(("green_cube", "drawer"),)),
    "pressed": SceneOptions(pressed=True),
}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_poses_and_facts_are_those_of_the_picture(eye, seed, options):
    eye.set(seed, options)
    seen = perceiver_for(PANDA).look(
        eye.view(), Proprioception(q=PANDA.default, tool=AWAY), eye.body.now
    )
    truth = true_scene(eye.body)
    assert seen.predicates == truth.predicates
    for thing in truth.objects:
        found = seen.find(thing.name)
        assert found is not None, thing.name
        assert np.linalg.norm(found.pose.position - thing.pose.position) < 0.010, thing.name
        assert abs(found.travel - thing.travel) < 0.006, thing.name
    assert (truth.find("drawer").travel > 0.10) == options.drawer_open
    assert (truth.find("button").travel > 0.010) == options.pressed


def test_what_is_hidden_stays_where_it_was(eye):
    eye.set(4)
    perceiver = perceiver_for(PANDA)
    robot = Proprioception(q=PANDA.default, tool=AWAY)
    before = perceiver.look(eye.view(), robot, 0.0).find("red_cube")
    view = eye.view()
    black = CameraView(
        rgb=np.zeros_like(view.rgb),
        depth=view.depth,
        intrinsics=view.intrinsics,
        rotation_to_world=view.rotation_to_world,
        position_in_world=view.position_in_world,
    )
    after = perceiver.look(black, robot, 1.0).find("red_cube")
    assert np.array_equal(after.pose.position, before.pose.position)
    assert not after.visible
    assert after.confidence < before.confidence


def test_nothing_is_seen_in_the_dark(eye):
    view = eye.view()
    black = CameraView(
        rgb=np.zeros_like(view.rgb),
        depth=np.zeros_like(view.depth),
        intrinsics=view.intrinsics,
        rotation_to_world=view.rotation_to_world,
        position_in_world=view.position_in_world,
    )
    assert perceiver_for(PANDA).look(black, Proprioception(), 0.0).objects == ()


def test_a_cube_between_closed_fingers_is_held_and_on_nothing(eye):
    eye.set(5)
    perceiver = perceiver_for(PANDA)
    cube = perceiver.look(eye.view(), Proprioception(), 0.0).find("red_cube").pose.position
    gripping = PANDA.default.copy()
    gripping[-1] = 0.02
    robot = Proprioception(q=gripping, tool=cube)
    facts = perceiver.look(eye.view(), robot, 0.1).predicates
    assert Predicate("held", ("red_cube",)) in facts
    assert Predicate("hand_empty") not in facts
    assert not any(f.name == "on" and f.args[0] == "red_cube" for f in facts)
    open_hand = Proprioception(q=PANDA.default, tool=cube)
    assert Predicate("hand_empty") in perceiver.look(eye.view(), open_hand, 0.2).predicates


def test_fingers_that_close_on_air_hold_nothing(eye):
    eye.set(5)
    shut = PANDA.default.copy()
    shut[-1] = 0.0
    scene = perceiver_for(PANDA).look(eye.view(), Proprioception(q=shut, tool=AWAY), 0.0)
    assert Predicate("hand_empty") in scene.predicates

"""Each predicate, once true and once false, on states made for it."""

import mujoco
import numpy as np
import pytest

from fmrl_robot.errors import ConfigError
from fmrl_robot.types import Predicate
from fmrl_sim.ground_truth import GroundTruth
from fmrl_sim.scenes import SceneOptions, ground, tabletop


@pytest.fixture(scope="module")
def table():
    scene = tabletop.build()
    return scene, GroundTruth(scene)


@pytest.fixture(scope="module")
def floor():
    scene = ground.build("go2")
    return scene, GroundTruth(scene)


def _settled(scene, options=None, steps=200):
    data = scene.new_data(5, options)
    mujoco.mj_step(scene.model, data, steps)
    mujoco.mj_forward(scene.model, data)
    return data


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("in(red_cube, bowl)", SceneOptions(at=(("red_cube", "bowl"),))),
        ("in(red_cube, bin)", SceneOptions(at=(("red_cube", "bin"),))),
        ("in(red_cube, drawer)", SceneOptions(at=(("red_cube", "drawer"),), drawer_open=True)),
        ("in(red_cube, drawer)", SceneOptions(at=(("red_cube", "drawer"),))),
        ("on(red_cube, blue_cube)", SceneOptions(at=(("red_cube", "blue_cube"),))),
        ("open(drawer)", SceneOptions(drawer_open=True)),
        ("pressed(button)", SceneOptions(pressed=True)),
    ],
)
def test_true_where_made_so_and_false_by_default(table, text, options):
    scene, truth = table
    predicate = Predicate.parse(text)
    assert truth.holds(predicate, _settled(scene, options))
    assert not truth.holds(predicate, _settled(scene))
    assert predicate in truth.facts(_settled(scene, options))


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("on(red_cube, table)", SceneOptions(at=(("red_cube", "bowl"),))),
        ("clear(blue_cube)", SceneOptions(at=(("red_cube", "blue_cube"),))),
        ("clear(bowl)", SceneOptions(at=(("red_cube", "bowl"),))),
        ("closed(drawer)", SceneOptions(drawer_open=True)),
    ],
)
def test_true_by_default_and_false_where_undone(table, text, options):
    scene, truth = table
    predicate = Predicate.parse(text)
    assert truth.holds(predicate, _settled(scene))
    assert not truth.holds(predicate, _settled(scene, options))


def _gripped(scene):
    """The red cube between the closed fingers, in the air."""
    data = scene.new_data(5)
    model = scene.model
    address = model.joint("red_cube").qposadr[0]
    for finger in ("finger_joint1", "finger_joint2"):
        data.joint(finger).qpos[0] = 0.0199
    mujoco.mj_forward(model, data)
    data.qpos[address : address + 3] = data.site("tcp").xpos
    data.qpos[address + 3 : address + 7] = data.body("hand").xquat
    mujoco.mj_forward(model, data)
    return data


def test_held_needs_both_fingers(table):
    scene, truth = table
    data = _gripped(scene)
    assert truth.holds(Predicate("held", ("red_cube",)), data)
    assert truth.holds(Predicate("hand_empty", value=False), data)
    data.joint("finger_joint2").qpos[0] = 0.03
    mujoco.mj_forward(scene.model, data)
    assert not truth.holds(Predicate("held", ("red_cube",)), data)
    assert truth.holds(Predicate("hand_empty"), data)


def test_what_is_held_is_neither_in_nor_on(table):
    scene, truth = table
    data = _gripped(scene)
    data.mocap_pos[scene.model.body("bowl").mocapid[0]] = data.site("tcp").xpos - [0, 0, 0.02]
    mujoco.mj_forward(scene.model, data)
    assert not truth.holds(Predicate("in", ("red_cube", "bowl")), data)
    for finger in ("finger_joint1", "finger_joint2"):
        data.joint(finger).qpos[0] = 0.04
    mujoco.mj_forward(scene.model, data)
    assert truth.holds(Predicate("in", ("red_cube", "bowl")), data)


def test_beside_touching_is_not_on(table):
    scene, truth = table
    data = scene.new_data(5)
    red, blue = (scene.model.joint(f"{c}_cube").qposadr[0] for c in ("red", "blue"))
    data.qpos[red : red + 7] = data.qpos[blue : blue + 7]
    turn = data.body("blue_cube").xmat.reshape(3, 3)
    data.qpos[red : red + 3] += turn[:, 0] * 0.0399
    mujoco.mj_forward(scene.model, data)
    assert not truth.holds(Predicate("on", ("red_cube", "blue_cube")), data)


def test_a_drawer_half_open_is_neither_open_nor_closed(table):
    scene, truth = table
    data = scene.new_data(5)
    data.joint("drawer_slide").qpos[0] = 0.06
    mujoco.mj_forward(scene.model, data)
    assert not truth.holds(Predicate("open", ("drawer",)), data)
    assert not truth.holds(Predicate("closed", ("drawer",)), data)


def test_near_a_marker_and_far_from_it(floor):
    scene, truth = floor
    data = scene.new_data(0)
    near = Predicate("near", ("robot", "red_marker"))
    assert not truth.holds(near, data)
    data.qpos[:2] = data.body("red_marker").xpos[:2] - [0.3, 0.0]
    mujoco.mj_forward(scene.model, data)
    assert truth.holds(near, data)


def test_feet_touch_the_floor_and_leave_it(floor):
    scene, truth = floor
    data = _settled(scene)
    contacts = [Predicate("contact", (leg.value,)) for leg in scene.robot.legs]
    assert all(truth.holds(p, data) for p in contacts)
    data.qpos[2] += 0.1
    mujoco.mj_forward(scene.model, data)
    assert not any(truth.holds(p, data) for p in contacts)


def test_an_unknown_fact_is_an_error_not_false(table):
    scene, truth = table
    with pytest.raises(ConfigError, match="fact of this scene"):
        truth.holds(Predicate("in", ("red_cube", "pond")), scene.new_data(0))


def test_facts_and_holds_agree(table):
    scene, truth = table
    data = _settled(scene, SceneOptions(at=(("red_cube", "bowl"),)))
    facts = truth.facts(data)
    assert all(truth.holds(p, data) == (p in facts) for p in truth.vocabulary)
    assert np.all(np.isfinite(data.qacc))

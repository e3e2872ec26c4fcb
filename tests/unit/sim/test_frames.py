"""How training pictures are dressed, and what drawing fewer triangles changes."""

import mujoco
import numpy as np
import pytest

from fmrl_sim.coarse import coarsen
from fmrl_sim.frames import tabletop_frames
from fmrl_sim.frames.looks import CELL_M, FAMILIES, SEEN, UNSEEN, RandomLooks, draw_texture
from fmrl_sim.ground_truth import CUBES, GroundTruth
from fmrl_sim.render import SceneRenderer
from fmrl_sim.scenes import ground, tabletop


@pytest.fixture(scope="module")
def scene():
    return tabletop.build()


@pytest.fixture(scope="module")
def data(scene):
    data = scene.new_data(3)
    mujoco.mj_forward(scene.model, data)
    return data


def test_families_for_measuring_are_never_trained_on():
    assert not set(SEEN) & set(UNSEEN) and set(SEEN) | set(UNSEEN) == set(FAMILIES)
    for name in FAMILIES:
        picture = draw_texture(np.random.default_rng(1), (name,), 0.5)
        assert picture.shape[2] == 3 and picture.dtype == np.uint8


def test_every_picture_is_dressed_anew_and_by_seed(scene, data):
    with SceneRenderer(scene.model, 96, 96) as renderer:
        plain = renderer.rgb(data, "front").astype(int)
        looks = RandomLooks(renderer, "front", {"table": 0.75, "floor": 0.48}, unseen=False)
        drawn = []
        for seed in (1, 1, 2):
            looks.draw(np.random.default_rng(seed))
            drawn.append(renderer.rgb(data, "front").astype(int))
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert np.abs(drawn[0] - drawn[2]).mean() > 3 and np.abs(drawn[0] - plain).mean() > 3


def test_a_fraction_of_the_triangles_gives_nearly_the_same_picture():
    scene = ground.build()
    data = scene.new_data(0)
    mujoco.mj_forward(scene.model, data)
    with SceneRenderer(scene.model, 224, 224) as renderer:
        full = renderer.rgb(data, "follow").astype(int)
    before = int(scene.model.mesh_facenum.sum())
    with SceneRenderer(scene.model, 224, 224, cell_m=CELL_M) as renderer:
        coarse = renderer.rgb(data, "follow").astype(int)
    assert int(scene.model.mesh_facenum.sum()) == before, "physics keeps its own model"
    coarsen(scene.model, CELL_M)
    assert scene.model.mesh_facenum.sum() < 0.2 * before
    assert np.abs(full - coarse).mean() < 1.5


def test_every_cube_of_a_picture_is_somewhere():
    for frame in tabletop_frames(60, 11, 32):
        placed = {fact.args[0] for fact in frame.facts if fact.name in ("on", "in", "held")}
        assert placed == set(CUBES)


def test_the_gripper_is_open_shut_or_above_something(scene):
    data, truth = scene.new_data(3), GroundTruth(scene)
    for width, fact in ((0.04, "open(gripper)"), (0.002, "closed(gripper)")):
        data.joint("finger_joint1").qpos = data.joint("finger_joint2").qpos = width
        mujoco.mj_forward(scene.model, data)
        assert fact in {str(f) for f in truth.gripper_facts(data)}
    data.joint("red_cube").qpos[:3] = data.site("tcp").xpos - [0.0, 0.0, 0.15]
    mujoco.mj_forward(scene.model, data)
    assert "above(gripper, red_cube)" in {str(f) for f in truth.gripper_facts(data)}
    data.joint("red_cube").qpos[0] += 0.06
    mujoco.mj_forward(scene.model, data)
    assert "above(gripper, red_cube)" not in {str(f) for f in truth.gripper_facts(data)}

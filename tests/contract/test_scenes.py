"""Laws that every declared scene, and the template of docs/your_scene.md, has to keep."""

import importlib.util
from pathlib import Path

import mujoco
import numpy as np
import pytest

from fmrl_robot.registry import SCENES
from fmrl_robot.safety import Gate
from fmrl_sim.body import MujocoBody
from fmrl_sim.ground_truth import GroundTruth
from fmrl_sim.render import SceneRenderer

TEMPLATE = Path(__file__).parents[2] / "docs" / "templates" / "my_scene.py"


def _template():
    spec = importlib.util.spec_from_file_location("my_scene", TEMPLATE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build


@pytest.fixture(scope="module", params=[*SCENES.names(), "template"])
def scene(request):
    return (_template() if request.param == "template" else SCENES.load(request.param))()


def test_a_seed_is_one_state(scene):
    one, two, other = scene.seeded(11), scene.seeded(11), scene.seeded(12)
    for field in ("qpos", "mocap_pos", "mocap_quat"):
        assert getattr(one, field).tobytes() == getattr(two, field).tobytes()
    assert one.qpos.tobytes() + one.mocap_pos.tobytes() != (
        other.qpos.tobytes() + other.mocap_pos.tobytes()
    )
    assert one.qpos.shape == (scene.model.nq,)
    assert one.mocap_pos.shape == (scene.model.nmocap, 3)
    np.testing.assert_allclose(np.linalg.norm(one.mocap_quat, axis=1), 1.0)


def test_sampling_leaves_the_model_alone(scene):
    before = scene.model.qpos0.copy(), scene.model.body_pos.copy()
    one = scene.seeded(1)
    one.qpos[:] = 0.0
    assert not np.array_equal(scene.seeded(1).qpos, one.qpos)
    np.testing.assert_array_equal(scene.model.qpos0, before[0])
    np.testing.assert_array_equal(scene.model.body_pos, before[1])


def test_the_robot_is_whole_and_in_order(scene):
    names = [scene.model.actuator(i).name for i in range(scene.model.nu)]
    assert names == list(scene.robot.model_actuators)
    for joint in scene.robot.model_joints:
        assert mujoco.mj_name2id(scene.model, mujoco.mjtObj.mjOBJ_JOINT, joint) >= 0


def test_objects_are_there_and_in_sight(scene):
    data = scene.new_data(0)
    with SceneRenderer(scene.model) as renderer:
        for camera in scene.cameras:
            assert renderer.rgb(data, camera).std() > 5.0, camera
        depth = renderer.frame(data, scene.cameras[0]).depth
        assert np.all(np.isfinite(depth))
        assert np.all(depth > 0)
        seen = set(np.unique(renderer.bodies(data, scene.cameras[0])))
    bodies = {o.name: scene.model.body(o.name).id for o in scene.objects}
    if scene.robot.kind == "arm":
        assert set(bodies.values()) <= seen
    assert all(o.size.shape == (3,) for o in scene.objects)


def test_the_world_is_at_rest(scene):
    body = MujocoBody(scene, Gate(scene.robot), seed=2)
    before = {o.name: body.data.body(o.name).xpos.copy() for o in scene.objects}
    for _ in range(250):
        body.tick()
    for name, position in before.items():
        assert np.linalg.norm(body.data.body(name).xpos - position) < 0.01, name
    assert np.all(np.isfinite(body.data.qpos))


def test_ground_truth_knows_its_facts(scene):
    truth, data = GroundTruth(scene), scene.new_data(0)
    facts = truth.facts(data)
    assert facts <= set(truth.vocabulary)
    for predicate in truth.vocabulary:
        assert truth.holds(predicate, data) == (predicate in facts)

"""The tabletop: same seed same world, everything in view and reach, and physics that grips."""

import mujoco
import numpy as np
import pytest

from fmrl_robot.errors import ConfigError
from fmrl_robot.types import Predicate
from fmrl_sim.ground_truth import CUBES, GroundTruth
from fmrl_sim.render import SceneRenderer
from fmrl_sim.scenes import SceneOptions, tabletop
from fmrl_sim.scenes import furniture as f

THINGS = (*CUBES, "bowl", "bin", "drawer", "button")


@pytest.fixture(scope="module")
def scene():
    return tabletop.build()


def _above(point, height):
    return np.add(point, (0.0, 0.0, height))


def _tip(scene, data):
    return data.site("tcp").xpos.copy()


def _reach(scene, data, target, grip, yaw=0.0, seconds=1.5, track=None):
    """Servo the hand, fingers down, to ``target`` by damped least squares; step physics."""
    model = scene.model
    hand = model.body("hand").id
    dofs = [model.joint(n).dofadr[0] for n in scene.robot.model_joints[:7]]
    c, s = np.cos(yaw), np.sin(yaw)
    wanted = np.array([[c, s, 0], [s, -c, 0], [0, 0, -1.0]])
    goal = scene.joint_positions(data)[:7]
    start = _tip(scene, data)
    steps = int(seconds / 0.02)
    jacp, jacr = np.zeros((3, model.nv)), np.zeros((3, model.nv))
    for k in range(steps):
        way = start + min(1.0, 1.4 * (k + 1) / steps) * (np.asarray(target) - start)
        mujoco.mj_jac(model, data, jacp, jacr, data.site("tcp").xpos, hand)
        rotation = data.body("hand").xmat.reshape(3, 3)
        turn = 0.5 * sum(np.cross(rotation[:, i], wanted[:, i]) for i in range(3))
        error = np.concatenate([way - data.site("tcp").xpos, turn])
        jac = np.vstack([jacp, jacr])[:, dofs]
        goal = scene.joint_positions(data)[:7] + jac.T @ np.linalg.solve(
            jac @ jac.T + 1e-4 * np.eye(6), error
        )
        data.ctrl[:7], data.ctrl[7] = goal, grip
        mujoco.mj_step(model, data, 10)
        if track is not None:
            track(data)


def test_the_same_seed_gives_the_same_world_bit_by_bit(scene):
    one, two, other = scene.seeded(7), scene.seeded(7), scene.seeded(8)
    assert one.qpos.tobytes() == two.qpos.tobytes()
    assert one.mocap_pos.tobytes() == two.mocap_pos.tobytes()
    assert one.qpos.tobytes() != other.qpos.tobytes()


def test_physics_repeats_bit_by_bit(scene):
    ends = []
    for _ in range(2):
        data = scene.new_data(3)
        mujoco.mj_step(scene.model, data, 100)
        ends.append(data.qpos.tobytes())
    assert ends[0] == ends[1]


def test_everything_is_apart_in_reach_and_at_rest_for_100_seeds(scene):
    spec = scene.robot
    data = mujoco.MjData(scene.model)
    for seed in range(100):
        scene.seeded(seed).apply(scene.model, data)
        for cube in CUBES:
            position = data.body(cube).xpos
            assert np.all(position >= spec.workspace_lower), (seed, cube)
            assert np.all(position <= spec.workspace_upper), (seed, cube)
            assert np.hypot(*position[:2]) < 0.72, (seed, cube)
        for thing in ("bowl", "bin", "button"):
            assert 0.3 < np.hypot(*data.body(thing).xpos[:2]) < 0.72, (seed, thing)
        pairs = {
            tuple(sorted(scene.model.geom(g).name for g in c.geom))
            for c in data.contact[: data.ncon]
        }
        assert pairs == {tuple(sorted((cube, "table"))) for cube in CUBES}, seed


def test_the_front_camera_sees_everything_for_100_seeds(scene):
    data = mujoco.MjData(scene.model)
    with SceneRenderer(scene.model) as renderer:
        for seed in range(100):
            scene.seeded(seed).apply(scene.model, data)
            seen = renderer.bodies(data, "front")
            for thing in THINGS:
                pixels = int(np.sum(seen == scene.model.body(thing).id))
                assert pixels >= 30, (seed, thing, pixels)


def test_a_stacked_cube_is_on_the_other_before_anything_moves(scene):
    truth = GroundTruth(scene)
    options = SceneOptions(at=(("red_cube", "blue_cube"), ("green_cube", "red_cube")))
    for seed in range(30):
        data = scene.new_data(seed, options)
        mujoco.mj_forward(scene.model, data)
        stack = {Predicate("on", pair) for pair in options.at}
        assert stack <= truth.facts(data)


@pytest.mark.parametrize("place", ["bowl", "bin", "drawer", "green_cube"])
def test_cubes_start_where_the_options_say_and_stay(scene, place):
    options = SceneOptions(at=(("red_cube", place),), drawer_open=place == "drawer")
    truth = GroundTruth(scene)
    name = "on" if place in CUBES else "in"
    for seed in range(10):
        data = scene.new_data(seed, options)
        mujoco.mj_step(scene.model, data, 500)
        assert truth.holds(Predicate(name, ("red_cube", place)), data), seed


def test_options_that_make_no_sense_are_refused(scene):
    for at in (("red_cube", "moon"),), (("red_cube", "red_cube"),), (("sun", "bowl"),):
        with pytest.raises(ConfigError, match="expected"):
            scene.seeded(0, SceneOptions(at=at))
    with pytest.raises(ConfigError, match="end on something"):
        scene.seeded(0, SceneOptions(at=(("red_cube", "blue_cube"), ("blue_cube", "red_cube"))))


@pytest.mark.parametrize(
    "values", [{"colour": 1}, 5, None, {"at": 5}, {"at": [["red_cube"]]}, {"far": 3}, {"far": [3]}]
)
def test_options_of_another_kind_are_refused(values):
    with pytest.raises(ConfigError, match=r"the scene options|scene options as a JSON object"):
        SceneOptions.from_json(values)


def test_options_survive_json():
    options = SceneOptions(at=(("red_cube", "bowl"),), drawer_open=True, far=("blue_cube",))
    assert SceneOptions.from_json(options.to_json()) == options


@pytest.mark.parametrize("seed", range(4))
def test_a_grasp_holds_and_a_release_in_the_bowl_counts(scene, seed):
    truth = GroundTruth(scene)
    data = scene.new_data(seed)
    cube = data.body("red_cube").xpos.copy()
    matrix = data.body("red_cube").xmat.reshape(3, 3)
    yaw = float(np.arctan2(matrix[1, 0], matrix[0, 0]))
    _reach(scene, data, _above(cube, 0.12), 0.04, yaw)
    _reach(scene, data, cube, 0.04, yaw, 1.0)
    assert truth.holds(Predicate("hand_empty"), data)
    _reach(scene, data, cube, 0.0, yaw, 0.6)
    assert truth.holds(Predicate("held", ("red_cube",)), data)
    _reach(scene, data, _above(cube, 0.20), 0.0, yaw)
    slip = []
    bowl = data.body("bowl").xpos.copy()

    def measure(data):
        slip.append(data.body("red_cube").xpos - _tip(scene, data))

    _reach(scene, data, _above(bowl, 0.20), 0.0, yaw, 2.0, track=measure)
    assert truth.holds(Predicate("held", ("red_cube",)), data)
    assert np.max(np.abs(np.array(slip) - slip[0])) < 0.012
    _reach(scene, data, _above(bowl, 0.08), 0.0, yaw)
    _reach(scene, data, _above(bowl, 0.08), 0.04, yaw, 1.0)
    assert truth.holds(Predicate("in", ("red_cube", "bowl")), data)
    assert truth.holds(Predicate("hand_empty"), data)


@pytest.mark.parametrize("seed", range(3))
def test_the_drawer_opens_by_its_handle_and_closes_by_a_push(scene, seed):
    truth = GroundTruth(scene)
    data = scene.new_data(seed)
    out = -data.body("cabinet").xmat.reshape(3, 3)[:, 0]
    yaw = float(np.arctan2(out[1], out[0])) + np.pi / 2
    handle = data.site("handle").xpos.copy()
    _reach(scene, data, _above(handle, 0.12), 0.04, yaw)
    _reach(scene, data, handle, 0.04, yaw, 1.0)
    _reach(scene, data, handle, 0.0, yaw, 0.5)
    _reach(scene, data, handle + 0.15 * out, 0.0, yaw, 2.0)
    assert truth.holds(Predicate("open", ("drawer",)), data)
    assert not truth.holds(Predicate("closed", ("drawer",)), data)
    _reach(scene, data, handle, 0.0, yaw, 2.0)
    assert truth.holds(Predicate("closed", ("drawer",)), data)


def test_the_button_latches_and_lights_its_lamp(scene):
    truth = GroundTruth(scene)
    data = scene.new_data(1)
    top = _above(data.body("button").xpos, f.BUTTON_TOP_M)
    with SceneRenderer(scene.model) as renderer:
        _reach(scene, data, _above(top, 0.15), 0.0, seconds=2.0)
        before = renderer.rgb(data, "front").astype(int)
        assert truth.holds(Predicate("pressed", ("button",), value=False), data)
        _reach(scene, data, _above(top, -0.03), 0.0)
        _reach(scene, data, _above(top, 0.15), 0.0)
        assert truth.holds(Predicate("pressed", ("button",)), data)
        lamp = renderer.bodies(data, "front") == scene.model.body("button").id
        after = renderer.rgb(data, "front").astype(int)
    mujoco.mj_step(scene.model, data, 1000)
    assert truth.holds(Predicate("pressed", ("button",)), data)
    assert np.mean(after[lamp]) > np.mean(before[lamp]) + 60


def test_a_renderer_that_goes_takes_nothing_from_another(scene):
    model = scene.model
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    with SceneRenderer(model, width=48, height=48) as kept:

        def changed() -> float:
            return float(np.abs(kept.rgb(data, "front").astype(float) - before).max())

        before = kept.rgb(data, "front").astype(float)
        other = SceneRenderer(model, width=64, height=64)
        other.rgb(data, "front")
        kept.rgb(data, "front")
        other.close()
        assert changed() < 10
        again = SceneRenderer(model, width=32, height=32)
        kept.rgb(data, "front")
        del again
        assert changed() < 10

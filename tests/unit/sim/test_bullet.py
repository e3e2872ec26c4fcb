"""The shipped policy in PyBullet: the robot is the same, the physics is not MuJoCo's."""

import mujoco
import numpy as np
import pytest

pytest.importorskip("pybullet", reason="has no wheel for this Python")

from fmrl_robot.errors import ErrorCode
from fmrl_robot.reproduce.sim_to_sim import Rig, Walk, walk
from fmrl_robot.robots import GO2
from fmrl_robot.safety import Gate
from fmrl_sim.bullet import BulletQuadruped
from fmrl_sim.scenes.ground import add_floor, quadruped_spec


@pytest.fixture
def body():
    body = BulletQuadruped(GO2, Gate(GO2), seed=3)
    yield body
    body.close()


def test_it_is_the_same_robot(body):
    spec = quadruped_spec(GO2)
    add_floor(spec, GO2)
    model = spec.compile()
    world, robot = body._world, body._robot
    masses = [world.getDynamicsInfo(robot, link)[0] for link in body._links]
    assert sum(masses) == pytest.approx(model.body_subtreemass[0], abs=1e-3)
    data = mujoco.MjData(model)
    position, quaternion = body.base
    data.qpos[:3], data.qpos[3:7] = position, quaternion
    joints = [model.joint(name).qposadr[0] for name in GO2.model_joints]
    data.qpos[joints] = body.read().q
    mujoco.mj_kinematics(model, data)
    for foot, geom in zip(body._feet, GO2.foot_geoms, strict=True):
        link = world.getLinkState(robot, foot, computeForwardKinematics=True)
        expected = data.body(int(model.geom(geom).bodyid[0])).xpos
        assert np.array(link[4]) == pytest.approx(expected, abs=2e-3)


def test_uncommanded_it_stands(body):
    for _ in range(250):
        body.tick()
    assert not body.fallen()
    assert body.foot_contacts().all()
    assert np.abs(body.velocity()).max() < 0.02


def test_silence_lays_it_down():
    rig = Rig(GO2, seed=0)
    for _ in range(500):
        rig.body.tick()
    assert rig.gate.status().code is ErrorCode.COMMAND_SILENCE
    (_, _, height), _ = rig.body.base
    assert height < 0.6 * GO2.base_height_m
    rig.body.close()


@pytest.mark.parametrize("gait", ["trot", "pace"])
def test_the_policy_walks_where_it_was_not_trained(gait):
    walked = walk(Walk(robot="go2", gait=gait, vx=0.5, seed=1, seconds=4.0))
    assert not walked.fell and not walked.stopped
    assert walked.vx_m_s == pytest.approx(0.5, abs=0.15)
    assert walked.contact_match > 0.75

"""The shipped policy in PyBullet: the robot is the same, the physics is not MuJoCo's."""

import numpy as np
import pytest

pytest.importorskip("pybullet", reason="has no wheel for this Python")

from fmrl_robot.errors import ErrorCode
from fmrl_robot.evaluations.sim_to_sim import Rig, Walk, handle, walk
from fmrl_robot.robots import GO2, PANDA
from fmrl_robot.safety import Gate
from fmrl_sim.bullet import BulletBody
from fmrl_sim.scenes import ground, tabletop


@pytest.fixture
def body():
    body = BulletBody(ground.build("go2"), Gate(GO2), seed=3)
    yield body
    body.close()


def test_it_is_the_same_robot(body):
    model, world, robot = body.model, body._world, body._robot
    masses = [world.getDynamicsInfo(robot, link)[0] for link in body._links]
    assert sum(masses) == pytest.approx(model.body("base").subtreemass[0], abs=1e-3)
    for foot, geom in zip(body._feet, GO2.foot_geoms, strict=True):
        link = world.getLinkState(robot, foot, computeForwardKinematics=True)
        expected = body.data.body(int(model.geom(geom).bodyid[0])).xpos
        assert np.array(link[4]) == pytest.approx(expected, abs=2e-3)


def test_rotors_turn_with_their_joints():
    """Near the hand a joint's motor feels little but its rotor."""
    body = BulletBody(tabletop.build("panda"), Gate(PANDA), seed=0)
    link = body.model.body("link7").id
    joint = body._joints[6]
    mass, _, moments, *_ = body._world.getDynamicsInfo(body._robot, joint)
    rotor = body.model.dof_armature[body._dq_at[6]]
    assert mass == pytest.approx(body.model.body_mass[link])
    assert sum(moments) == pytest.approx(body.model.body_inertia[link].sum() + rotor)
    assert max(moments) > rotor
    body.close()


def test_uncommanded_it_stands(body):
    for _ in range(250):
        body.tick()
    assert body.data.qpos[2] == pytest.approx(GO2.base_height_m, abs=0.04)
    assert body.foot_contacts().all()
    assert np.abs(body.velocity()).max() < 0.02
    weight = body.model.body("base").subtreemass[0] * 9.81
    assert body.foot_forces().sum() == pytest.approx(weight, rel=0.1)


def test_silence_lays_it_down():
    rig = Rig(GO2, seed=0)
    for _ in range(500):
        rig.body.tick()
    assert rig.gate.status().code is ErrorCode.COMMAND_SILENCE
    assert rig.body.data.qpos[2] < 0.6 * GO2.base_height_m
    rig.body.close()


@pytest.mark.parametrize("gait", ["trot", "pace"])
def test_the_policy_walks_where_it_was_not_trained(gait):
    walked = walk(Walk(robot="go2", gait=gait, vx=0.5, seed=1, seconds=4.0))
    assert not walked.fell and not walked.stopped
    assert walked.vx_m_s == pytest.approx(0.5, abs=0.15)
    assert walked.contact_match > 0.75


@pytest.mark.parametrize("task", ["place in the bowl", "place in the bin"])
def test_the_arm_grasps_and_places_where_it_was_not_trained(task):
    assert handle("panda", task, seed=1)


def test_slippery_fingers_hold_nothing(monkeypatch):
    add = BulletBody._add_grip

    def smooth(self, model, links):
        add(self, model, links)
        for link in self._links:
            self._world.changeDynamics(self._robot, link, lateralFriction=0, spinningFriction=0)

    monkeypatch.setattr(BulletBody, "_add_grip", smooth)
    assert not handle("panda", "grasp", seed=1)

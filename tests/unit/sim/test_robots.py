"""Each RobotSpec against the model it describes, and the servos against the law they promise."""

import mujoco
import numpy as np
import pytest

from fmrl_robot.robots import robot
from fmrl_robot.types import JointCommand
from fmrl_sim.scenes import ground, tabletop
from fmrl_sim.servos import Servos

BUILD = {"panda": tabletop.build, "go2": ground.build, "go1": ground.build}


@pytest.fixture(scope="module", params=sorted(BUILD))
def scene(request):
    return BUILD[request.param](request.param)


@pytest.fixture(scope="module", params=sorted(BUILD))
def original(request):
    spec = robot(request.param)
    return spec, mujoco.MjModel.from_xml_path(str(spec.model.locate()))


def test_limits_are_those_of_the_model(original):
    spec, model = original
    for i, name in enumerate(spec.model_joints):
        np.testing.assert_allclose(model.joint(name).range, [spec.lower[i], spec.upper[i]])


def test_efforts_are_those_of_the_model(original):
    spec, model = original
    for i, name in enumerate(spec.model_actuators):
        actuator = model.actuator(name)
        limits = actuator.forcerange if actuator.forcelimited[0] else actuator.ctrlrange
        np.testing.assert_allclose(limits, [-spec.effort[i], spec.effort[i]])


def test_each_actuator_drives_the_joint_named_beside_it(original):
    spec, model = original
    for joint, name in zip(spec.model_joints, spec.model_actuators, strict=True):
        actuator = model.actuator(name)
        if actuator.trntype[0] == mujoco.mjtTrn.mjTRN_JOINT:
            assert model.joint(int(actuator.trnid[0])).name == joint
        else:  # the Panda's fingers, through a tendon that averages both
            assert joint == "finger_joint1"


@pytest.mark.parametrize("original", ["panda"], indirect=True)
def test_arm_gains_are_those_of_the_model(original):
    """The quadrupeds' models carry motors, or another author's gains."""
    spec, model = original
    for i, name in enumerate(spec.model_actuators[:-1]):
        assert model.actuator(name).biasprm[1] == -spec.kp[i]
        assert model.actuator(name).biasprm[2] == -spec.kd[i]


def test_joints_stand_leg_by_leg_in_the_order_of_the_spec(original):
    spec, model = original
    addresses = [model.joint(n).qposadr[0] for n in spec.model_joints]
    if spec.name == "go1":  # Menagerie's Go1 stands in Unitree's order: mapping by name matters
        assert addresses != sorted(addresses)
    else:
        assert addresses == sorted(addresses)


def test_the_default_pose_is_the_models_home(original):
    spec, model = original
    home = model.key("home").qpos
    values = [home[model.joint(n).qposadr[0]] for n in spec.model_joints]
    np.testing.assert_allclose(values, spec.default, atol=1e-4)
    assert np.all(spec.default >= spec.lower)
    assert np.all(spec.default <= spec.upper)


def test_feet_and_base_exist(scene):
    spec = scene.robot
    assert mujoco.mj_name2id(scene.model, mujoco.mjtObj.mjOBJ_BODY, spec.base_body) >= 0
    for leg, foot in zip(spec.legs, spec.foot_geoms, strict=True):
        body = scene.model.geom(foot).bodyid[0]
        assert scene.model.body(body).name.startswith(leg.value)


def test_the_scene_keeps_the_physics_of_the_model(original):
    spec, model = original
    built = BUILD[spec.name](spec.name).model
    for name in spec.model_joints:
        dof, other = model.joint(name).dofadr[0], built.joint(name).dofadr[0]
        assert built.dof_armature[other] == model.dof_armature[dof]
        known = model.dof_damping[dof] if spec.viscosity is None else spec.viscosity
        assert built.dof_damping[other] == known
        assert built.dof_frictionloss[other] == model.dof_frictionloss[dof]
    for i in range(1, model.nbody):
        body = model.body(i)
        np.testing.assert_allclose(built.body(body.name).mass, body.mass, rtol=1e-6)


def test_the_servo_is_the_formula(scene):
    """tau = kp (q* - q) + kd (dq* - dq) + effort, clamped at the effort limit, at any gains."""
    spec, rng = scene.robot, np.random.default_rng(0)
    model = scene.model.__copy__()
    data = mujoco.MjData(model)
    scene.seeded(0).apply(model, data)
    servos = Servos(model, spec)
    n = spec.num_joints
    clamped = 0
    for _ in range(20):
        q = spec.default + rng.uniform(-0.02, 0.0, n)
        dq = rng.uniform(-0.1, 0.1, n)
        for i, name in enumerate(spec.model_joints):
            data.joint(name).qpos[0], data.joint(name).qvel[0] = q[i], dq[i]
        if spec.kind == "arm":
            data.joint("finger_joint2").qpos[0] = q[-1]
            data.joint("finger_joint2").qvel[0] = dq[-1]
        command = JointCommand(
            seq=0,
            stamp_s=0.0,
            observation_stamp_s=0.0,
            lease="",
            names=spec.joint_names,
            position=q + rng.uniform(-0.05, 0.05, n),
            velocity=rng.uniform(-0.1, 0.1, n),
            effort=rng.uniform(-1.0, 1.0, n) * spec.effort * 0.1,
            kp=rng.uniform(0.0, 1.0, n) * spec.kp_limit,
            kd=rng.uniform(0.0, 1.0, n) * spec.kd_limit,
        )
        servos.command(command, data)
        mujoco.mj_forward(model, data)
        tau = (
            command.kp * (command.position - q)
            + command.kd * (command.velocity - dq)
            + command.effort
        )
        clamped += int(np.sum(np.abs(tau) > spec.effort))
        np.testing.assert_allclose(
            servos.efforts(data), np.clip(tau, -spec.effort, spec.effort), atol=1e-9
        )
    assert clamped > 0 or spec.kind == "quadruped"


def test_commands_are_mapped_by_joint_name(scene):
    spec, model = scene.robot, scene.model.__copy__()
    data = mujoco.MjData(model)
    servos = Servos(model, spec)
    values = np.arange(spec.num_joints, dtype=float)
    back = tuple(reversed(spec.joint_names))
    one = JointCommand(
        seq=0,
        stamp_s=0.0,
        observation_stamp_s=0.0,
        lease="",
        names=back,
        position=values[::-1],
        velocity=values * 0,
        effort=values * 0,
        kp=values[::-1] + 1,
        kd=values * 0,
    )
    servos.command(one, data)
    for i, name in enumerate(spec.model_actuators):
        actuator = model.actuator(name)
        assert actuator.biasprm[1] == -(values[i] + 1)
        assert data.ctrl[actuator.id] == (values[i] + 1) * values[i]


@pytest.mark.parametrize("name", ["go1", "go2"])
def test_legs_leave_damping_to_the_command(name):
    spec = robot(name)
    model = ground.build(name).model
    joints = [int(model.joint(joint).dofadr[0]) for joint in spec.model_joints]
    assert (model.dof_damping[joints] < spec.kd).all()

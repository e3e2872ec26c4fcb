"""Leg kinematics against the robots' own models, odometry against the simulator's truth."""

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from fmrl_robot.control.quadruped import QuadrupedController
from fmrl_robot.estimation import (
    LegOdometry,
    feet_in_base,
    odometry_for,
    rotation,
    shanks_in_base,
)
from fmrl_robot.robots import GO1, GO2, PANDA
from fmrl_robot.safety import Gate, State
from fmrl_robot.types import RobotState, Scene, SubGoal, SubGoalKind, Velocity
from fmrl_sim.body import MujocoBody
from fmrl_sim.lockstep import Loop
from fmrl_sim.scenes.ground import build

BOTH = pytest.mark.parametrize("spec", [GO2, GO1], ids=lambda spec: spec.name)


@BOTH
def test_the_feet_are_where_the_robots_model_has_them(spec):
    model = mujoco.MjModel.from_xml_path(str(spec.model.locate()))
    data, rng = mujoco.MjData(model), np.random.default_rng(0)
    for _ in range(5):
        q = rng.uniform(spec.lower, spec.upper)
        data.qpos[:3] = 0.0
        data.qpos[3:7] = 1.0, 0.0, 0.0, 0.0
        for name, value in zip(spec.model_joints, q, strict=True):
            data.joint(name).qpos[0] = value
        mujoco.mj_forward(model, data)
        feet = np.array([data.geom(name).xpos for name in spec.foot_geoms])
        assert np.abs(feet_in_base(spec.leg_shape, q) - feet).max() < 1e-6
        shanks = [data.body(f"{leg.value}_calf").xmat.reshape(3, 3) for leg in spec.legs]
        assert np.abs(shanks_in_base(q) - shanks).max() < 1e-6


def walked(spec, velocity, seconds=4.0, odometry=None):
    """Walk in MuJoCo; the states as sensed, and the truth (rows, 6): position, velocity in base."""
    rows, truth = [], []

    def seen(body, state):
        rows.append(state)
        turn = rotation(body.data.qpos[3:7])
        truth.append(np.concatenate([body.data.qpos[:3], turn.T @ body.data.qvel[:3]]))

    gate = Gate(spec)
    body = MujocoBody(build(spec.name), gate, seed=0)
    loop = Loop(body, gate, QuadrupedController(spec), lambda b: Scene(stamp_s=b.now), seen)
    loop.idle(1.0)
    goal = SubGoal(
        id="1",
        kind=SubGoalKind.SKILL,
        skill="walk",
        velocity=velocity,
        duration_s=seconds,
        timeout_s=20.0,
    )
    assert loop.execute(goal).success
    return rows, np.array(truth)


@BOTH
@pytest.mark.parametrize("velocity", [Velocity(vx=0.6), Velocity(vx=-0.3, vy=0.2, wz=0.4)])
def test_it_knows_where_it_walked_to_and_how_fast(spec, velocity):
    rows, truth = walked(spec, velocity)
    odometry = odometry_for(spec)
    found = [odometry.locate(row) for row in rows]
    at = np.array([state.position for state in found])
    way = np.linalg.norm(np.diff(truth[:, :2], axis=0), axis=1).sum()
    gone, believed = truth[-1] - truth[0], at[-1] - at[0]
    assert np.linalg.norm(believed[:2] - gone[:2]) < 0.05 * way
    assert np.abs(at[50:, 2] - truth[50:, 2]).max() < 0.03
    speeds = np.array([state.linear_velocity for state in found])
    assert np.sqrt(np.mean((speeds[50:, :2] - truth[50:, 3:5]) ** 2)) < 0.06


def test_without_counting_that_feet_roll_it_would_be_further_off():
    rows, truth = walked(GO2, Velocity(vx=0.6), 6.0)

    def missed(shape):
        odometry = LegOdometry(shape)
        at = np.array([odometry.locate(row).position for row in rows])
        return np.linalg.norm((at[-1] - at[0] - truth[-1, :3] + truth[0, :3])[:2])

    shape = GO2.leg_shape
    assert missed(shape) < 0.6 * missed(replace(shape, foot_radius_m=1e-9))


def test_a_gap_is_no_way_and_an_arm_has_no_odometry():
    odometry = odometry_for(GO2)
    state = RobotState(
        stamp_s=0.0,
        q=GO2.default,
        dq=np.zeros(12),
        quaternion=np.array([1.0, 0.0, 0.0, 0.0]),
        contacts=np.ones(4, dtype=bool),
    )
    odometry.locate(state)
    bent = GO2.default + np.tile([0.0, 0.2, 0.0], 4)
    moved = odometry.locate(replace(state, stamp_s=0.02, q=bent)).position
    assert moved[0] > 0.01
    later = odometry.locate(replace(state, stamp_s=1.0))
    assert np.allclose(later.position[:2], moved[:2])
    assert np.allclose(later.linear_velocity, 0.0)
    odometry.restart()
    assert np.allclose(odometry.locate(replace(state, stamp_s=2.0)).position[:2], 0.0)
    assert odometry_for(PANDA) is None
    assert odometry.locate(replace(state, quaternion=None)).position is None


def test_a_reset_of_the_world_puts_it_back_to_the_origin():
    gate = Gate(GO2)
    body = MujocoBody(build("go2"), gate, seed=0)
    loop = Loop(body, gate, QuadrupedController(GO2), lambda b: Scene(stamp_s=b.now))
    loop.idle(1.0)
    walk = SubGoal(
        id="1",
        kind=SubGoalKind.SKILL,
        skill="walk",
        velocity=Velocity(vx=0.6),
        duration_s=2.0,
        timeout_s=9.0,
    )
    assert loop.execute(walk).success
    assert loop.supervisor.state.position[0] > 0.5
    assert loop.supervisor.hear(State.DISARMED) is None
    body.reset(0)
    loop.tick()
    assert np.abs(loop.supervisor.state.position[:2]).max() < 0.02

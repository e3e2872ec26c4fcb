import numpy as np
import pytest
import torch

from fmrl_robot.control import posture as pose
from fmrl_robot.robots import GO1, GO2
from fmrl_sim.batched.randomisation import NO_RANDOMISATION
from fmrl_sim.tasks.posture import (
    evaluate,
    make_go1_sit,
    make_go1_stand_up,
    make_go2_sit,
    make_go2_stand_up,
)

SMALL = {"num_envs": 32, "threads": 1}


def nothing(observations):
    return np.zeros((len(observations), 12))


def test_who_is_to_stand_up_starts_lying_anyhow():
    world = make_go2_stand_up(**SMALL).world
    world.restart(torch.arange(32))
    assert (world.height < 0.25).float().mean() > 0.8
    assert world.gravity[:, 2].min() < -0.5 < 0.5 < world.gravity[:, 2].max()
    assert not world.broken.any()


def test_who_is_to_sit_starts_standing():
    world = make_go2_sit(**SMALL).world
    world.restart(torch.arange(32))
    assert (world.height > 0.2).all()
    assert (world.gravity[:, 2] < -0.9).all()


@pytest.mark.parametrize("make", [make_go2_stand_up, make_go1_sit])
def test_episodes_end_with_time_only(make):
    env = make(**SMALL, episode_steps=30)
    env.reset()
    env.world.age.zero_()
    for step in range(30):
        obs, reward, done, extras = env.step(torch.randn((32, 12)))
        assert obs["policy"].shape == (32, pose.OBSERVATION_SIZE)
        assert torch.isfinite(reward).all()
        assert bool(done.all()) == (step == 29)
    assert extras["time_outs"].all()


@pytest.mark.parametrize("make", [make_go2_stand_up, make_go1_stand_up])
def test_legs_pushed_to_the_stance_reach_it_and_soft_ones_sag_below(make):
    world = make(num_envs=4, threads=1, randomisation=NO_RANDOMISATION).world
    world._lying = None
    for gain in (0.0, 0.1):
        world.restart(torch.arange(4), spread=0.0)
        push, ever = torch.zeros((4, 12)), torch.zeros(4, dtype=torch.bool)
        for step in range(60):
            world.act(push)
            push += gain * (world._goal_joints - world.q)
            ever |= world.reached & (step > 30)
        assert ever.all() == (gain > 0)


@pytest.mark.parametrize("posture", ["stand-up", "sit"])
def test_doing_nothing_reaches_no_posture(posture):
    figures = evaluate(nothing, robot="go2", posture=posture, robots=20, seconds=3.0, threads=1)
    assert figures["success"]["n"] == 20
    assert figures["success"]["successes"] <= 10


@pytest.mark.parametrize("robot", [GO2, GO1])
@pytest.mark.parametrize("name", sorted(pose.POSTURES))
def test_postures_lie_within_the_joints_limits(robot, name):
    posture = pose.POSTURES[name](robot)
    assert np.all(posture.joints >= robot.lower)
    assert np.all(posture.joints <= robot.upper)
    assert np.linalg.norm(posture.gravity) == pytest.approx(1.0)
    left, right = posture.joints.reshape(4, 3)[[0, 2]], posture.joints.reshape(4, 3)[[1, 3]]
    assert np.array_equal(left, right)


def test_some_episodes_begin_in_the_posture_itself():
    env = make_go1_sit(num_envs=64, from_goal=0.5)
    env.reset()
    near = env.world.joint_error < 0.1
    assert 10 < int(near.sum()) < 54
    assert (env.world.gravity_error[near] < 0.01).all()
    assert (env.world.gravity_error[~near] > 0.3).all()

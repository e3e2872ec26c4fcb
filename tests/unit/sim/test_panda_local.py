"""Laws of the batched environments of the local skills."""

import numpy as np
import pytest
import torch

from fmrl_robot.control import local_skill as ls
from fmrl_robot.errors import ConfigError
from fmrl_robot.robots import PANDA
from fmrl_sim.tasks.panda_local import make

N = 8


def build(skill, seed=0):
    return make(skill, num_envs=N, pool=16, seed=seed, scatter_episodes=False)


def rollout(env, steps, seed=1):
    rng = torch.Generator().manual_seed(seed)
    observations = [env.reset()]
    rewards, dones = [], []
    for _ in range(steps):
        obs, reward, done, _ = env.step(torch.randn((N, env.num_actions), generator=rng))
        observations.append(obs)
        rewards.append(reward)
        dones.append(done)
    return observations, torch.stack(rewards), torch.stack(dones)


@pytest.mark.parametrize("skill", list(ls.SKILLS))
def test_shapes_types_and_finite_values(skill):
    env = build(skill)
    observations, rewards, dones = rollout(env, 12)
    for obs in observations:
        assert obs["policy"].shape == (N, ls.OBSERVATION_SIZE)
        assert obs["policy"].dtype == obs["critic"].dtype == torch.float32
        assert all(o.isfinite().all() for o in obs.values())
    assert rewards.shape == dones.shape == (12, N)
    assert rewards.dtype == torch.float32 and dones.dtype == torch.bool
    assert rewards.isfinite().all()


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    runs = [rollout(build("grasp", seed), 6) for seed in (4, 4, 5)]
    assert torch.equal(runs[0][1], runs[1][1])
    assert not torch.equal(runs[0][1], runs[2][1])


def test_observations_are_not_views_of_each_other():
    env = build("press")
    first = env.reset()["policy"]
    kept = first.clone()
    env.step(torch.ones((N, 5)))
    assert torch.equal(first, kept)


def test_episodes_end_on_time():
    env = build("press")
    _, _, dones = rollout(env, env.max_episode_length)
    assert not dones[:-1].any() and dones[-1].all()


def test_targets_move_within_the_gates_step_and_the_leash():
    env = build("place")
    env.reset()
    last = env._q_command.copy()
    for value in (1.0, -1.0, np.nan):
        for _ in range(4):
            env.step(torch.full((N, 5), value))
            assert np.all(np.abs(env._q_command - last)[:, :7] <= 3 * PANDA.step[:7])
            last = env._q_command.copy()
    measured = env._qpos[:, env._q_at[:7]]
    assert np.all(np.abs(env._q_command[:, :7] - measured) < ls.LEASH_RAD + 0.06)


def test_doing_nothing_succeeds_at_nothing():
    for skill in ls.SKILLS:
        env = build(skill)
        env.reset()
        for _ in range(env.max_episode_length):
            _, _, _, extras = env.step(torch.zeros((N, 5)))
        assert not extras["success"].any(), skill


def test_an_unknown_skill_is_refused():
    with pytest.raises(ConfigError, match="juggle"):
        make("juggle")

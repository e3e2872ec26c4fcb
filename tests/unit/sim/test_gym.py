import gymnasium
import numpy as np
import pytest
import torch

from fmrl_robot.registry import TASKS
from fmrl_sim.batched.gym import make_gym

SETTINGS = {"num_envs": 4, "threads": 1, "seed": 5}


def test_gymnasiums_own_statistics_run_on_it():
    env = gymnasium.wrappers.vector.RecordEpisodeStatistics(make_gym("go2-saytap", **SETTINGS))
    obs, info = env.reset()
    assert env.observation_space.contains(obs)
    assert info["critic"].shape[0] == 4
    env.action_space.seed(0)
    ended = 0
    for _ in range(60):
        obs, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert env.observation_space.contains(obs)
        assert reward.shape == terminated.shape == truncated.shape == (4,)
        assert not (terminated & truncated).any()
        ended += int(terminated.sum())
    assert ended > 0, "robots that thrash about fall"


def test_it_is_the_same_task():
    ours = TASKS.load("go2-saytap")(**SETTINGS)
    theirs = make_gym("go2-saytap", **SETTINGS)
    first, (obs, _) = ours.reset(), theirs.reset()
    rng = np.random.default_rng(0)
    for _ in range(10):
        assert np.array_equal(first["policy"].numpy(), obs)
        action = rng.normal(0, 0.3, (4, 12)).astype(np.float32)
        first, reward, _, _ = ours.step(torch.from_numpy(action))
        obs, same, *_ = theirs.step(action)
        assert np.array_equal(reward.numpy(), same)


def test_a_seed_at_reset_is_refused_with_where_it_belongs():
    with pytest.raises(gymnasium.error.Error, match="make_gym"):
        make_gym("go2-saytap", **SETTINGS).reset(seed=3)

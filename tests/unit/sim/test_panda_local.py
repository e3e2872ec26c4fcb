"""Laws of the batched environments of the local skills."""

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
    arms, most = env.world, torch.tensor(3 * PANDA.step[:7])
    last = arms.q_command.clone()
    for value in (1.0, -1.0, float("nan")):
        for _ in range(4):
            env.step(torch.full((N, 5), value))
            assert ((arms.q_command - last)[:, :7].abs() <= most + 1e-6).all()
            last = arms.q_command.clone()
    assert ((arms.q_command - arms.q)[:, :7].abs() < ls.LEASH_RAD + 0.06).all()


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


@pytest.mark.parametrize("skill", list(ls.SKILLS))
def test_the_demonstrator_mostly_succeeds(skill):
    env = make(skill, num_envs=32, pool=32, scatter_episodes=False)
    env.reset()
    ever = torch.zeros(32, dtype=torch.bool)
    for _ in range(env.max_episode_length):
        ever |= env.step(env.demonstrate())[3]["success"]
    assert ever.float().mean() > (0.2 if skill == "open" else 0.7)


@pytest.mark.parametrize("skill", ["grasp", "open"])
def test_both_engines_run_one_task_alike(skill):
    """States stay together for a second; contacts then amplify what float32 leaves out."""
    runs = []
    for engine in ("cpu", "warp:cpu"):
        env = make(skill, num_envs=4, pool=4, scatter_episodes=False, engine=engine)
        env.reset()
        seen = [env.step(env.demonstrate()) for _ in range(20)]
        rewards = torch.stack([reward for _, reward, _, _ in seen])
        runs.append((rewards, env.world.position, env.world.q_command))
    (rewards, tool, command), (other_rewards, other_tool, other_command) = runs
    assert torch.allclose(rewards[:6], other_rewards[:6], atol=6e-3)
    assert torch.allclose(tool, other_tool, atol=3e-3)
    assert torch.allclose(command, other_command, atol=1e-2)


def test_a_run_goes_on_where_its_state_was_kept():
    """Two environments with one state give one future, resets and ticks included."""
    env, other = build("grasp"), build("grasp")
    rollout(env, 51)
    other.reset()
    other.load_state_dict(env.state_dict())
    actions = torch.randn((10, N, 5), generator=torch.Generator().manual_seed(7))
    for action in actions:
        seen, reward, _, _ = env.step(action)
        seen_too, reward_too, _, _ = other.step(action)
        assert torch.equal(reward, reward_too)
        assert all(torch.equal(seen[key], seen_too[key]) for key in seen)

import numpy as np
import pytest
import torch
from dm_control import suite

from fmrl_robot.errors import ConfigError
from fmrl_sim.tasks.dm_suite import DmSuiteEnv, make_cartpole, make_humanoid, make_quadruped


@pytest.mark.parametrize(
    ("make", "actions", "observations"),
    [(make_cartpole, 1, 5), (make_humanoid, 21, 67), (make_quadruped, 12, 78)],
)
def test_shapes_and_types(make, actions, observations):
    env = make(num_envs=3)
    assert (env.num_envs, env.num_actions) == (3, actions)
    obs = env.reset()
    for _ in range(3):
        obs, reward, done, extras = env.step(torch.rand((3, actions)) * 2 - 1)
        assert obs["policy"].shape == obs["critic"].shape == (3, observations)
        assert obs["policy"].dtype == reward.dtype == torch.float32
        assert done.dtype == extras["time_outs"].dtype == torch.bool


def test_it_is_dm_controls_own_task():
    theirs = suite.load("cartpole", "swingup", task_kwargs={"random": 0})
    ours = make_cartpole(num_envs=1, seed=0)
    seen, expected = ours.reset(), theirs.reset()
    for k in range(50):
        flat = np.concatenate([np.ravel(v) for v in expected.observation.values()])
        assert seen["policy"][0].numpy() == pytest.approx(flat, abs=1e-6)
        action = np.sin(0.3 * k)
        seen, reward, _, _ = ours.step(torch.tensor([[action]]))
        expected = theirs.step([action])
        assert reward[0] == pytest.approx(expected.reward, abs=1e-6)


def test_the_time_limit_is_no_failure_and_starts_anew():
    env = make_cartpole(num_envs=2)
    env.reset()
    for _ in range(env.max_episode_length):
        obs, _, done, extras = env.step(torch.zeros((2, 1)))
    assert done.all()
    assert extras["time_outs"].all()
    assert not torch.equal(obs["policy"][0], obs["policy"][1])


def test_it_can_be_looked_at():
    env = make_cartpole(num_envs=2)
    env.reset()
    picture = env.render(1, 96)
    assert picture.shape == (96, 96, 3)
    assert picture.std() > 10


def test_an_unknown_task_is_refused():
    with pytest.raises(ConfigError, match="juggle"):
        DmSuiteEnv("cartpole", "juggle")


def test_it_shows_what_a_step_led_to_and_not_where_the_next_episode_begins():
    env = DmSuiteEnv("cartpole", "swingup", num_envs=2)
    env.reset()
    for _ in range(env.max_episode_length - 1):
        env.step(torch.zeros((2, 1)))
    env.show(("frame", "state"))  # a picture of each of a thousand steps would take long
    obs, _, done, extras = env.step(torch.zeros((2, 1)))
    shown = extras["shown"]
    assert bool(done.all()) and shown["frame"].shape == (2, 1, 128, 128, 3)
    assert not np.allclose(shown["state"], obs["policy"].numpy())
    assert np.array_equal(env.look([1])["state"], obs["policy"][1:].numpy())

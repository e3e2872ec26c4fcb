"""Several quadrupeds in one yard, by PettingZoo's parallel interface."""

import random

import numpy as np
import pytest

from fmrl_robot.errors import ConfigError
from fmrl_robot.skills.env import YardTeam


def rollout(seed, steps=60):
    env, rng = YardTeam(), random.Random(seed)
    seen, infos = env.reset(seed=seed)
    assert set(seen) == set(infos) == set(env.agents) == set(env.possible_agents)
    for _ in range(steps):
        if not env.agents:
            seen, _ = env.reset()
        for agent in env.agents:
            assert env.observation_space(agent).contains(
                {**seen[agent], "action_mask": seen[agent]["action_mask"].astype(np.int8)}
            )
        actions = {
            a: rng.choice(np.flatnonzero(seen[a]["action_mask"]).tolist()) for a in env.agents
        }
        assert all(env.action_space(a).contains(n) for a, n in actions.items())
        seen, rewards, terminated, truncated, infos = env.step(actions)
        assert set(rewards) == set(terminated) == set(truncated) == set(actions)
        yield env, seen, rewards, terminated, infos


def test_random_play_keeps_the_interface_and_each_robot_at_one_place():
    for env, _, rewards, terminated, infos in rollout(3):
        facts = env._world.facts()
        places = sorted(f.args[0] for f in facts if f.name == "at")
        assert places == sorted(env.possible_agents)
        assert len(set(rewards.values())) == 1 and all(i["seconds"] >= 1.0 for i in infos.values())
        assert all(r == t for r, t in zip(rewards.values(), terminated.values(), strict=True))


def test_the_same_seed_plays_the_same():
    rows = [[env.view(a).caption for a in env.possible_agents] for env, *_ in rollout(5, 25)]
    assert rows == [[e.view(a).caption for a in e.possible_agents] for e, *_ in rollout(5, 25)]


def test_a_robot_sees_another_only_beside_it():
    env = YardTeam()
    env.reset(seed=1)
    first, second = env.possible_agents
    assert "blue dog" in env.view(first).caption
    view = env.view(first)
    fit = np.flatnonzero(view.admissible).tolist()
    going = next(n for n in fit if view.phrases[n].startswith(("walk", "climb")))
    waiting = env.view(second).phrases.index("done")
    home = env._world.where(first)
    while env._world.where(first) == home:
        env.step({first: going, second: waiting})
    assert "blue dog" not in env.view(first).caption and "red dog" not in env.view(second).caption


def test_together_they_find_it_and_meet_again():
    """A walk through every place by one, the other staying: found, and back, is the end."""
    env = YardTeam(max_steps=10_000)
    env.reset(seed=2)
    rng, steps = random.Random(0), 0
    first, second = env.possible_agents
    waiting = env.view(second).phrases.index("done")
    while env.agents:
        fit = np.flatnonzero(env.view(first).admissible[:-1]).tolist()
        *_, rewards, terminated, truncated, _ = env.step({first: rng.choice(fit), second: waiting})
        steps += 1
    assert terminated == dict.fromkeys((first, second), True) and rewards[second] == 1.0
    assert steps > 2 and not any(truncated.values())


def test_who_does_not_choose_is_named():
    env = YardTeam()
    env.reset(seed=0)
    with pytest.raises(ConfigError, match="blue_dog"):
        env.step({"red_dog": 0})

"""A network over facts learns a world of skills, by itself and from a teacher."""

import numpy as np
import pytest
import torch

from fmrl_robot.agents import SymbolicAgent, SymbolicConfig, taught
from fmrl_robot.skills.env import SkillEnvOptions, TableOptions, symbolic_env, table_tasks
from fmrl_robot.train.advantages import discounts
from fmrl_robot.train.distributions import masked_categorical
from fmrl_robot.train.losses import Minibatch


def worlds(count=16):
    tasks = table_tasks(TableOptions(families=("press", "open"), held=0.0))
    options = SkillEnvOptions(max_steps=3, done_ends=False)
    return symbolic_env(tasks, "panda", count, options, slips=0.0)


def practise(agent, updates, steps=16):
    env, shares = worlds(), []
    for number in range(updates):
        now = env.reset(number)
        agent.begin(now)
        won = over = 0
        for _ in range(steps):
            now = env.step(agent.act(now))
            agent.observe(now)
            won += now.rewards.sum()
            over += (now.terminated | now.truncated).sum()
        agent.update()
        shares.append(won / over)
    return shares


def test_it_learns_what_an_instruction_wants():
    shares = practise(SymbolicAgent(seed=1), 30)
    assert shares[0] < 0.4 and np.mean(shares[-3:]) > 0.9


class Teaches(SymbolicAgent):
    """Is told to press the button, whatever the instruction."""

    def further(self, now):
        rows = [[float(p == "press the button") for p in v.phrases] for v in now.views]
        return {"teacher": torch.tensor(rows)}

    def losses(self):
        return (taught(5.0),)


def test_a_teacher_is_followed_while_it_counts():
    agent = Teaches(seed=1)
    practise(agent, 8)
    now = worlds().reset(99)
    chosen = agent.act(now, greedy=True)
    assert {v.phrases[c] for v, c in zip(now.views, chosen, strict=True)} == {"press the button"}


def test_a_teacher_s_loss_is_the_divergence_and_finite_where_nothing_is_admissible():
    admissible = torch.tensor([[True, True, False]])
    policy = masked_categorical(torch.zeros(1, 3), admissible)
    batch = Minibatch(
        policy=torch.zeros(1, 1), features=torch.zeros(1, 1), distribution=policy,
        action=torch.zeros(1), groups={"teacher": torch.tensor([[0.25, 0.75, 0.0]])},
    )  # fmt: skip
    wanted = 0.25 * np.log(0.25 / 0.5) + 0.75 * np.log(0.75 / 0.5)
    assert float(taught(2.0)(batch)) == pytest.approx(2.0 * wanted, rel=1e-5)


def test_seconds_are_discounted_where_a_unit_is_given(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "fmrl_robot.train.ppo.discounts",
        lambda gamma, duration: seen.append(duration) or discounts(gamma, duration),
    )
    for unit in (0.0, 2.0):
        agent = SymbolicAgent(SymbolicConfig(step_s=unit), seed=1)
        practise(agent, 1, steps=4)
    assert seen[0] is None and seen[1].shape == (4, 16) and float(seen[1].min()) > 0.0


def test_before_it_has_begun_it_says_what_is_missing():
    with pytest.raises(ValueError, match="call begin first"):
        SymbolicAgent().act(worlds().reset(0))

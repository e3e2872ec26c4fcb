"""Imitation: the learner ends near the demonstrator, also where only the learner goes."""

from types import SimpleNamespace

import torch

from fmrl_robot.train.imitation import ImitationConfig, imitate
from fmrl_robot.train.ppo import PPO, ActorCritic, LearnerConfig


class Drift:
    """A point on a line that an action moves; the demonstrator brings it back to zero."""

    num_envs, num_actions, max_episode_length = 64, 1, 10

    def __init__(self):
        self.rng = torch.Generator().manual_seed(0)

    def reset(self):
        self.x = 2 * torch.rand((self.num_envs, 1), generator=self.rng) - 1
        return self.obs()

    def obs(self):
        return {"policy": self.x, "critic": self.x}

    def demonstrate(self):
        return -0.5 * self.x

    def step(self, action):
        self.x = (self.x + action).clamp(-2, 2)
        success = self.x[:, 0].abs() < 0.3
        reward = -self.x[:, 0].abs()
        return (
            self.obs(),
            reward,
            torch.zeros(self.num_envs, dtype=torch.bool),
            {"success": success},
        )


def network():
    return torch.nn.Sequential(torch.nn.Linear(1, 32), torch.nn.ELU(), torch.nn.Linear(32, 1))


def test_the_actor_copies_and_the_critic_learns_the_returns():
    torch.manual_seed(0)
    networks = SimpleNamespace(actor=network(), critic=network())
    lines = []
    config = ImitationConfig(rounds=3, updates=400, batch=128, noise=0.05)
    imitate(networks, Drift(), config, report=lines.append)
    x = torch.linspace(-1, 1, 21)[:, None]
    with torch.no_grad():
        assert torch.max(torch.abs(networks.actor(x) + 0.5 * x)) < 0.08
        values = networks.critic(x)[:, 0]
    assert values[10] > values[0] and values[10] > values[-1]
    assert len(lines) == 3


def test_gradients_stay_where_the_next_learner_has_laid_them():
    config = LearnerConfig(actor=(8,), critic=(8,))
    networks = ActorCritic(config, (1, 1, 1))
    learner = PPO(config, networks)
    rows = [p.grad.data_ptr() for p in networks.parameters()]
    imitate(networks, Drift(), ImitationConfig(rounds=1, updates=2, batch=8))
    assert [p.grad.data_ptr() for p in networks.parameters()] == rows
    learner._message.zero_()
    assert not any(p.grad.any() for p in networks.parameters())

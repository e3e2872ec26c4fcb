"""A first policy from a demonstrator, by DAgger: the learner acts, the demonstrator is asked.

Shaped rewards have traps (a cube dropped into the bowl is in the bowl); a learner that starts near
a demonstrator never visits them. The critic is fitted to the returns of the same rollouts, so that
reinforcement learning goes on from there without a shock.

Reference: Ross, Gordon, Bagnell: A Reduction of Imitation Learning and Structured Prediction to
No-Regret Online Learning (AISTATS 2011).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch

from fmrl_robot.train.advantages import discounts, returns
from fmrl_robot.train.ppo import ActorCritic

if TYPE_CHECKING:
    from fmrl_robot.protocols import VecEnv


@dataclass(frozen=True, kw_only=True, slots=True)
class ImitationConfig:
    """How long a demonstrator is asked, and how hard it is copied."""

    rounds: int = 7
    """Episodes of every environment; in the first the demonstrator acts, then the learner."""
    updates: int = 1500
    """Gradient steps after each round."""
    batch: int = 1024
    learning_rate: float = 1e-3
    noise: float = 0.15
    """Standard deviation of what is added to the actions, so that mistakes are seen."""
    gamma: float = 0.97
    """Of the returns that the critic is fitted to."""


class Demonstrates(Protocol):
    """A VecEnv with a demonstrator."""

    def demonstrate(self) -> torch.Tensor:
        """Return the demonstrator's actions now, shape (num_envs, num_actions)."""
        ...


def imitate(
    networks: ActorCritic,
    env: Any,
    config: ImitationConfig,
    seed: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> None:
    """Fit the actor to ``env.demonstrate`` and the critic to the returns."""
    rng = torch.Generator().manual_seed(seed)
    seen: dict[str, list[torch.Tensor]] = {"policy": [], "critic": [], "action": [], "return": []}
    actor, critic = networks.actor, networks.critic
    optimiser = torch.optim.Adam([*actor.parameters(), *critic.parameters()], config.learning_rate)
    for round_ in range(config.rounds):
        score = _episode(env, actor, config, rng, seen, lead=round_ == 0)
        table = {key: torch.cat(parts) for key, parts in seen.items()}
        loss = 0.0
        for _ in range(config.updates):
            rows = torch.randint(len(table["action"]), (config.batch,))
            copied = torch.mean((actor(table["policy"][rows]) - table["action"][rows]) ** 2)
            valued = torch.mean((critic(table["critic"][rows])[:, 0] - table["return"][rows]) ** 2)
            # In place: whoever learns after this has laid the gradients out in one row.
            optimiser.zero_grad(set_to_none=False)
            (copied + 0.1 * valued).backward()
            optimiser.step()
            loss = copied.item()
        report(f"imitation round={round_ + 1}/{config.rounds} loss={loss:.4g} score={score:.3f}")


def _episode(
    env: VecEnv,
    actor: torch.nn.Module,
    config: ImitationConfig,
    rng: torch.Generator,
    seen: dict[str, list[torch.Tensor]],
    lead: bool,
) -> float:
    """Run one episode of every environment and append what was seen; return a score.

    The score is the share of successes where the task tells it, else the mean reward of a step.
    """
    demonstrator: Any = env
    obs = env.reset()
    rewards: list[torch.Tensor] = []
    ends: list[torch.Tensor] = []
    durations: list[torch.Tensor] = []
    success: torch.Tensor | None = None
    for _ in range(env.max_episode_length):
        wanted: torch.Tensor = demonstrator.demonstrate()
        for key in ("policy", "critic"):
            seen[key].append(obs[key].clone())
        seen["action"].append(wanted)
        with torch.no_grad():
            action = wanted if lead else actor(obs["policy"])
        obs, reward, done, extras = env.step(
            action + config.noise * torch.randn(action.shape, generator=rng)
        )
        rewards.append(reward)
        ends.append(done)
        if "duration" in extras:
            durations.append(extras["duration"])
        success = extras.get("success")
    discount = discounts(config.gamma, torch.stack(durations) if durations else None)
    seen["return"].extend(returns(torch.stack(rewards), torch.stack(ends), discount=discount))
    return float(torch.stack(rewards).mean() if success is None else success.float().mean())

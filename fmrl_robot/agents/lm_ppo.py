"""Proximal policy optimisation of a language model that chooses among candidates.

References: Schulman et al. (2017); Tan et al. (TWOSOME, ICLR 2024); Wen et al. (POAD, NeurIPS
2024). A minibatch goes through the model in passes of similar length whose gradients add up, so
that memory does not grow with it and its order changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fmrl_robot.agents.credit import unit_advantages
from fmrl_robot.agents.lm_policy import LMPolicy
from fmrl_robot.agents.lm_rollout import LMRollout, TextWorlds, collect
from fmrl_robot.settings import Count
from fmrl_robot.train.advantages import discounts


@dataclass(frozen=True, kw_only=True, slots=True)
class LMPPOConfig:
    """How fast, and from how much."""

    steps: Count = 32
    """Decisions of each world between updates."""
    epochs: Count = 4
    minibatch: Count = 128
    """Decisions."""
    learning_rate: float = 2e-4
    """Of the model: 2e-4 for all weights of a small one, 5e-3 for a LoRA adapter of rank 8."""
    critic_rate: float = 3e-3
    gamma: float = 0.95
    """A step of what the worlds call duration."""
    lam: float = 0.95
    clip: float = 0.2
    entropy: float = 0.01
    max_grad_norm: float = 0.5
    kl: float = 0.0
    """Weight of the policy's divergence from the untouched model, in nats a unit."""
    naive_tokens: bool = False
    """Discount from token to token as well: biased, the control of what credit by token brings."""


class LMPPO:
    """Collects with a policy and updates it."""

    def __init__(
        self, policy: LMPolicy, worlds: TextWorlds | None, config: LMPPOConfig | None = None,
        seed: int = 0,
    ) -> None:  # fmt: skip
        """Prepare.

        Args:
            policy: that learns.
            worlds: in which ``iterate`` acts; None: whoever acts calls ``update`` alone.
            config: how.
            seed: of what is chosen and of the order of what is learned from.
        """
        self.policy, self.worlds, self.config = policy, worlds, config or LMPPOConfig()
        self.rng = torch.Generator().manual_seed(seed)
        self.actor = torch.optim.AdamW(
            policy.weights, self.config.learning_rate, weight_decay=0.0, foreach=True
        )
        self.critic = torch.optim.Adam(policy.critic.parameters(), self.config.critic_rate)

    def iterate(self) -> dict[str, float]:
        """Act and learn once; return curves.

        Raises:
            ValueError: there are no worlds to act in.
        """
        if self.worlds is None:
            raise ValueError("expected worlds to act in, got None; build it with some, or update")
        rollout = collect(self.worlds, self.policy, self.config.steps, self.rng)
        ends = rollout.done.sum().clamp_min(1)
        told = {
            "episode/reward": float(rollout.reward.sum() / ends),
            "episode/decisions": float(rollout.done.numel() / ends),
        }
        return {**told, **self.update(rollout)}

    def update(self, rollout: LMRollout) -> dict[str, float]:
        """Learn from what the present policy has done; return curves, means over minibatches."""
        config = self.config
        advantage = unit_advantages(
            rollout.reward, rollout.value, rollout.mask, rollout.last, rollout.done,
            rollout.time_out, discount=discounts(config.gamma, rollout.duration), lam=config.lam,
            between=config.gamma if config.naive_tokens else 1.0,
        )  # fmt: skip
        table = {
            "choice": rollout.choice,
            "log_prob": rollout.log_prob,
            "mask": rollout.mask,
            "advantage": advantage,
            "reward_to_go": advantage + rollout.value,
        }
        table = {key: value.flatten(0, 1) for key, value in table.items()}
        sums: dict[str, float] = {}
        count = 0
        for _ in range(config.epochs):
            order = torch.randperm(len(rollout.questions), generator=self.rng)
            for rows in order.split(config.minibatch):
                for key, value in self._step(rollout, table, rows).items():
                    sums[key] = sums.get(key, 0.0) + value
                count += 1
        return {key: value / count for key, value in sums.items()}

    def _step(self, rollout: LMRollout, table: dict[str, Tensor], rows: Tensor) -> dict[str, float]:
        """One step of both optimisers down the mean over the units of a minibatch."""
        config, mask = self.config, table["mask"][rows]
        total = int(mask.sum())
        own = table["advantage"][rows][mask]
        mean, spread = own.mean(), own.std(unbiased=False) + 1e-8
        decisions = [
            (rollout.questions[i], int(c))
            for i, c in zip(rows.tolist(), table["choice"][rows].tolist(), strict=True)
        ]
        self.actor.zero_grad()
        self.critic.zero_grad()
        curves: dict[str, float] = {}
        for numbers in self.policy.passes(decisions):
            picked = rows[numbers]
            batch = {key: value[picked] for key, value in table.items()}
            batch["advantage"] = (batch["advantage"] - mean) / spread
            parts = self._losses([decisions[i] for i in numbers], batch)
            weighted = {key: part.sum() / total for key, part in parts.items()}
            loss = weighted["loss/surrogate"] - config.entropy * weighted["policy/entropy"]
            loss = loss + config.kl * weighted.get("policy/kl", 0.0) + weighted["loss/value"]
            loss.backward()
            for key, part in weighted.items():
                curves[key] = curves.get(key, 0.0) + float(part.detach())
        norm = torch.nn.utils.clip_grad_norm_(self.policy.weights, config.max_grad_norm)
        self.actor.step()
        self.critic.step()
        return {**curves, "loss/gradient": float(norm)}

    def _losses(
        self, decisions: list[tuple[Any, int]], batch: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Of every unit that is no padding, (units,) each."""
        config = self.config
        units = self.policy.units(decisions, divergence=config.kl > 0.0)
        mask, width = units.mask, units.mask.shape[1]
        # A pass may be narrower than the rollout, never wider.
        old, advantage, goal = (
            batch[key][:, :width].to(mask.device)[mask]
            for key in ("log_prob", "advantage", "reward_to_go")
        )
        ratio = (units.log_prob[mask] - old).exp()
        clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
        value, _ = self.policy.values(decisions)
        parts = {
            "loss/surrogate": -torch.minimum(ratio * advantage, clipped * advantage),
            "loss/value": (value[mask] - goal).square(),
            "policy/entropy": units.entropy[mask],
            # The estimate that is never negative (Schulman, 2020), of this update's own policy.
            "policy/moved": (ratio - 1.0 - ratio.log()).detach(),
        }
        if units.divergence is not None:
            parts["policy/kl"] = units.divergence[mask]
        return parts

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next update depends on; the worlds keep their own."""
        return {
            "policy": self.policy.state_dict(),
            "actor": self.actor.state_dict(),
            "critic": self.critic.state_dict(),
            "rng": self.rng.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called."""
        self.policy.load_state_dict(state["policy"])
        self.actor.load_state_dict(state["actor"])
        self.critic.load_state_dict(state["critic"])
        self.rng.set_state(state["rng"])

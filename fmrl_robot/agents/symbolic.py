"""An Agent that sees worlds of skills as numbers: a small network, learned by PPO.

It is the learner of this project (fmrl_robot/train) with a choice among the phrases, of which only
the admissible ones have a chance; what an instruction says reaches it as the words in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from fmrl_robot.train.distributions import Categorical
from fmrl_robot.train.learner import Rollout
from fmrl_robot.train.losses import Loss, Minibatch, TeacherDivergence
from fmrl_robot.train.ppo import PPO, ActorCritic, LearnerConfig

if TYPE_CHECKING:
    from fmrl_robot.types import SkillStep

WORDS = 64
"""Words of instructions that are told apart; of others it does not hear."""


def _learner() -> LearnerConfig:
    return LearnerConfig(
        actor=(128, 128), critic=(128, 128), learning_rate=1e-3, desired_kl=0.0, gamma=0.95,
        entropy=0.03, mini_batches=2, max_grad_norm=0.5,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class SymbolicConfig:
    """What learns, and how."""

    learner: LearnerConfig = field(default_factory=_learner)
    step_s: float = 0.0
    """Seconds that gamma discounts once; 0: every decision counts the same."""
    decisions: int = 100_000
    """Of a whole training, by which the learner knows how far it is."""


class SymbolicAgent:
    """Chooses by a network over facts; see Agent."""

    def __init__(self, config: SymbolicConfig | None = None, seed: int = 0) -> None:
        self.config, self._seed = config or SymbolicConfig(), seed
        self._built: PPO | None = None
        self.rng = torch.Generator().manual_seed(seed)
        self.decided = 0
        """Decisions that were learned from."""
        self._words: dict[str, int] = {}
        self._forget()

    def _forget(self) -> None:
        self._rows: dict[str, list[Tensor]] = {}
        self._explored = False
        self._last: Tensor | None = None

    @property
    def learner(self) -> PPO:
        """Built when it is first seen what there is to see and to choose.

        Raises:
            ValueError: it was not yet.
        """
        if self._built is None:
            raise ValueError("expected worlds that have begun, got none; call begin first")
        return self._built

    def losses(self) -> Sequence[Loss]:
        """What is minimised beside PPO's own at the next update; for those who have more."""
        return ()

    def further(self, now: SkillStep) -> dict[str, Tensor]:
        """Groups of observations for these losses, (n, ...) each."""
        del now
        return {}

    def seen(self, now: SkillStep) -> Tensor:
        """Facts and words as 0 or 1, float (n, facts + WORDS)."""
        facts = np.stack([view.state for view in now.views])
        words = np.zeros((len(now.views), WORDS), np.float32)
        for row, text in zip(words, now.instructions, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                number = self._words.setdefault(word, len(self._words))
                if number < WORDS:
                    row[number] = 1.0
        return torch.as_tensor(np.concatenate([facts, words], axis=1), dtype=torch.float32)

    # --- Agent ------------------------------------------------------------------------------------

    def begin(self, now: SkillStep) -> None:
        """Face worlds at their beginning; see Agent."""
        self._forget()
        if self._built is None:
            self._built = self._build(self.seen(now).shape[1], len(now.views[0].phrases))

    def _build(self, size: int, choices: int) -> PPO:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed)
            networks = ActorCritic(self.config.learner, (size, size, choices), discrete=True)
        return PPO(self.config.learner, networks, self._seed)

    @torch.no_grad()
    def act(self, now: SkillStep, *, greedy: bool = False) -> list[int]:
        """Choose among what is admissible; see Agent."""
        networks, seen = self.learner.networks, self.seen(now)
        admissible = torch.as_tensor(np.stack([view.admissible for view in now.views]))
        output = networks.actor(seen)
        policy = networks.head(output, admissible)
        action = policy.mode() if greedy else policy.sample(self.rng)
        if not greedy:
            told = {
                "seen": seen, "output": output, "action": action,
                "group/admissible": admissible,
                **{f"group/{name}": group for name, group in self.further(now).items()},
            }  # fmt: skip
            for name, value in told.items():
                self._rows.setdefault(name, []).append(value)
        self._explored = not greedy
        return action.tolist()

    def observe(self, now: SkillStep) -> None:
        """Hear what came of it; see Agent."""
        if not self._explored:
            return
        self._explored = False
        came = {
            "reward": torch.as_tensor(now.rewards),
            "done": torch.as_tensor(now.terminated | now.truncated),
            "time_out": torch.as_tensor(now.truncated),
        }
        if self.config.step_s:
            came["duration"] = torch.as_tensor(now.seconds) / self.config.step_s
        for name, value in came.items():
            self._rows.setdefault(name, []).append(value)
        self._last = self.seen(now)

    def update(self) -> dict[str, float]:
        """Learn from what was chosen by chance since the last call; see Agent."""
        if self._last is None or not self._rows:
            return {}
        rows = {name: torch.stack(values) for name, values in self._rows.items()}
        self._rows = {}
        rollout = Rollout(
            policy=rows["seen"], critic=rows["seen"], output=rows["output"],
            action=rows["action"], reward=rows["reward"], done=rows["done"],
            time_out=rows["time_out"], last=self._last, duration=rows.get("duration"),
            groups={n.removeprefix("group/"): v for n, v in rows.items() if n[:6] == "group/"},
        )  # fmt: skip
        self.learner.losses = tuple(self.losses())
        curves = self.learner.update(rollout, min(1.0, self.decided / self.config.decisions))
        self.decided += rollout.reward.numel()
        return curves

    def state_dict(self) -> dict[str, Any]:
        """Networks, optimiser, words and chance; see Agent."""
        built = self._built
        own = None if built is None else {**built.state_dict(), **built.own_state_dict()}
        return {
            "learner": own, "rng": self.rng.get_state(), "words": dict(self._words),
            "decided": self.decided,
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called, once it has begun; see Agent."""
        if state["learner"] is not None:
            self.learner.load_state_dict(state["learner"])
            self.learner.load_own_state_dict(state["learner"])
        self.rng.set_state(state["rng"])
        self._words = dict(state["words"])
        self.decided = state["decided"]


def taught(weight: float) -> Loss:
    """A loss: stay near the distribution over choices in the group ``teacher``, (n, choices)."""
    return TeacherDivergence(weight=weight, teacher=_teacher)


def _teacher(batch: Minibatch) -> Categorical:
    # What has no chance has the lowest finite logarithm, as in a policy that masks it: infinities,
    # and a tiny chance times that number, would be felt.
    chances = batch.groups["teacher"]
    lowest = torch.finfo(chances.dtype).min
    return Categorical(torch.where(chances > 0.0, chances.log(), lowest))

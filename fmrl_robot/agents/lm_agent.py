"""An Agent whose policy is a language model that scores the phrases of worlds of skills.

The systems that do so differ in settings of ``LMPolicy`` and ``LMPPO`` and in how they write a
prompt; acting, remembering and learning stand here once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fmrl_robot.agents.histories import Histories, Walk
from fmrl_robot.agents.lm_policy import Acted, LMPolicy, LMPolicyConfig, Question
from fmrl_robot.agents.lm_ppo import LMPPO, LMPPOConfig
from fmrl_robot.agents.lm_rollout import TextStep, laid_out

if TYPE_CHECKING:
    from fmrl_robot.types import SkillStep

Prompt = Callable[[str, Walk], str]
"""From an instruction and what was done to what a phrase continues."""


class LMAgent:
    """Chooses by a language model's likelihoods and learns by PPO; see Agent."""

    def __init__(
        self, model: Any, prompt: Prompt, policy: LMPolicyConfig, ppo: LMPPOConfig, seed: int = 0
    ) -> None:
        """Free the weights that learn.

        Args:
            model: with Tunes.
            prompt: writes what is asked.
            policy: what learns.
            ppo: how.
            seed: of the critic, of choices and of the order of learning.
        """
        torch.manual_seed(seed)  # an adapter's first weights come from torch's own chance
        self.policy = LMPolicy(model, policy, seed)
        self.ppo = LMPPO(self.policy, None, ppo, seed)
        self._prompt = prompt
        self._histories = Histories()
        self._forget()

    def _forget(self) -> None:
        self._asked: list[Question] = []
        self._acted: list[Acted] = []
        self._came: list[TextStep] = []
        self._now: SkillStep | None = None
        self._chosen: list[str] = []

    def questions(self, now: SkillStep) -> tuple[list[Question], list[np.ndarray]]:
        """What each world asks, and the numbers of the phrases that its candidates are."""
        walks = self._histories.walks
        numbers = [np.flatnonzero(view.admissible) for view in now.views]
        asked = [
            Question(self._prompt(text, walk), tuple(f" {view.phrases[k]}" for k in those))
            for text, walk, view, those in zip(
                now.instructions, walks, now.views, numbers, strict=True
            )
        ]
        return asked, numbers

    # --- Agent ------------------------------------------------------------------------------------

    def begin(self, now: SkillStep) -> None:
        """Face worlds at their beginning; see Agent."""
        self._forget()
        self._histories.begin(now)

    def act(self, now: SkillStep, *, greedy: bool = False) -> list[int]:
        """Choose among what is admissible; see Agent."""
        asked, numbers = self.questions(now)
        acted = self.policy.act(asked, self.ppo.rng, greedy=greedy)
        chosen = [int(those[c]) for those, c in zip(numbers, acted.choice.tolist(), strict=True)]
        self._chosen = [view.phrases[c] for view, c in zip(now.views, chosen, strict=True)]
        if not greedy:
            self._asked += asked
            self._acted.append(acted)
        return chosen

    def observe(self, now: SkillStep) -> None:
        """Hear what came of it; see Agent."""
        self._histories.observe(self._chosen, now)
        self._now = now
        if len(self._acted) > len(self._came):
            self._came.append(
                TextStep(
                    reward=now.rewards.tolist(),
                    done=(now.terminated | now.truncated).tolist(),
                    time_out=now.truncated.tolist(),
                    duration=[1.0] * len(now.views),
                )
            )

    def update(self) -> dict[str, float]:
        """Learn from what was chosen by chance since the last call; see Agent."""
        if self._now is None or not self._came:
            return {}
        last = self.policy.values_now(self.questions(self._now)[0])
        rollout = laid_out(self._asked, self._acted, self._came, last)
        self._asked, self._acted, self._came = [], [], []
        return self.ppo.update(rollout)

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimisers and chance; see Agent."""
        return self.ppo.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called; see Agent."""
        self.ppo.load_state_dict(state)

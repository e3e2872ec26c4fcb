"""Sentences as observations: a task's texts, embedded, stand behind its own numbers.

The embedding is frozen and every sentence is embedded once, so that a step costs a look-up. In the
contract of a policy it is a term like any other, named ``text``; whoever runs the policy embeds the
instruction with the model that the run's settings name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from fmrl_robot.control.contract import PolicyContract
    from fmrl_robot.protocols import Embeds

TERM = "text"
"""Name of the observation term."""


class WithTexts:
    """A VecEnv whose actor and critic also read what its ``texts()`` say now."""

    def __init__(self, env: Any, embedder: Embeds) -> None:
        """Wrap.

        Args:
            env: a VecEnv with ``texts() -> list[str]``, one sentence of each environment now.
            embedder: unit vectors for sentences.
        """
        self._env, self._embedder = env, embedder
        self._numbers: dict[str, int] = {}
        self._table = self._embedded(["."])
        """Vectors of the sentences seen so far, (sentences, dim); the first tells the size."""
        # Only what the task itself offers: learners look for it by name.
        if hasattr(env, "mirror"):
            self.mirror = self._mirror
        if hasattr(env, "contract"):
            self.contract = self._contract

    def __getattr__(self, name: str) -> Any:
        if name == "_env":  # while it is unpickled there is none yet
            raise AttributeError(name)
        return getattr(self._env, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """What is not the wrapper's own is the task's."""
        own = name.startswith("_") or name in ("mirror", "contract")
        object.__setattr__(self if own else self._env, name, value)

    def reset(self) -> dict[str, Tensor]:
        """Start every environment."""
        return self._with_texts(self._env.reset())

    def step(self, actions: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor, dict[str, Any]]:
        """Act; see VecEnv."""
        obs, reward, done, extras = self._env.step(actions)
        return self._with_texts(obs), reward, done, extras

    def _mirror(self) -> dict[str, Any]:
        """A sentence is the same on both sides."""
        parts = dict(self._env.mirror())
        seen, width = len(parts["observation_swap"]), self._table.shape[1]
        parts["observation_swap"] = [*parts["observation_swap"], *range(seen, seen + width)]
        parts["observation_sign"] = [*parts["observation_sign"], *[1.0] * width]
        return parts

    def _contract(self) -> PolicyContract:
        """The task's, with the sentence as its last term and a command."""
        own: PolicyContract = self._env.contract()
        return replace(
            own,
            observation_names=(*own.observation_names, TERM),
            observation_sizes=(*own.observation_sizes, self._table.shape[1]),
            observation_scales=(*own.observation_scales, 1.0),
            observation_history_lengths=(*own.observation_history_lengths, 1),
            command_names=(*own.command_names, TERM),
        )

    def _with_texts(self, obs: dict[str, Tensor]) -> dict[str, Tensor]:
        vectors = self._vectors(self._env.texts()).to(obs["policy"].device)
        both = {key: torch.cat([obs[key], vectors], dim=-1) for key in ("policy", "critic")}
        return {**obs, **both}

    def _vectors(self, texts: Sequence[str]) -> Tensor:
        """Embeddings (texts, dim); only sentences that were never seen are embedded."""
        new = [text for text in dict.fromkeys(texts) if text not in self._numbers]
        if new:
            self._numbers |= {text: len(self._table) + i for i, text in enumerate(new)}
            self._table = torch.cat([self._table, self._embedded(new)])
        return self._table[[self._numbers[text] for text in texts]]

    def _embedded(self, texts: list[str]) -> Tensor:
        return torch.as_tensor(self._embedder.embed_texts(texts), dtype=torch.float32)

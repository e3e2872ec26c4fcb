"""TWOSOME: a language model's normalised likelihoods of actions are the policy that PPO tunes.

Reference: Tan, Zhang, Liu, Zheng, Wang, An, "True Knowledge Comes from Practice: Aligning LLMs with
Embodied Environments via Reinforcement Learning", ICLR 2024.
Inputs: an instruction, what held at the beginning and what was done since, as a transcript.
Outputs: one of the phrases that may be chosen.

What differs from the paper: see ``METHOD.differs``.
"""

from __future__ import annotations

from typing import Any

from fmrl_robot.agents import LMAgent, LMPolicyConfig, LMPPOConfig, Walk
from fmrl_robot.fm import load_language_model, require
from fmrl_robot.methods.card import MethodCard
from fmrl_robot.planners.chores import transcript

METHOD = MethodCard(
    name="twosome",
    reference="Tan et al., True Knowledge Comes from Practice: Aligning LLMs with Embodied "
    "Environments via Reinforcement Learning, ICLR 2024",
    role="agent",
    robots=("arm",),
    protocols=("Agent",),
    needs=("Tunes",),
    differs=(
        "The model has 1.9 million parameters, all of which learn by default; the paper tunes "
        "LLaMA-7B by LoRA, which is an option here.",
        "Each decision is discounted once, however long its skill takes.",
        "Steps whose effect was undone are left out of the prompt.",
        "The critic reads the last real token of the prompt.",
    ),
    ablation="normalisation by sum and word, pretrained and random weights, and symbolic PPO, "
    "where the prior is right and where it is wrong",
)
MODEL = "transformers:policies/lm-prior"


def prompt(instruction: str, walk: Walk) -> str:
    """What a phrase continues: the chore as far as it was done."""
    return transcript(instruction, walk.first.facts, walk.phrases)


class TWOSOME(LMAgent):
    """An Agent."""

    card = METHOD

    def __init__(
        self, model: Any | None = None, *, language_model: str = MODEL,
        policy: LMPolicyConfig | None = None, ppo: LMPPOConfig | None = None, seed: int = 0,
    ) -> None:  # fmt: skip
        """Build the agent.

        Args:
            model: a model that Tunes; None loads ``language_model``. Its weights will change.
            language_model: name for fm.load_language_model.
            policy: what learns, and the normalisation; all weights, by word where None.
            ppo: how.
            seed: of choices and of learning.

        Raises:
            ConfigError: the model lacks a capability or cannot be loaded.
        """
        model = load_language_model(language_model) if model is None else model
        require(model, "Tunes", by=METHOD.name)
        policy = policy or LMPolicyConfig(weights="full", norm="word")
        super().__init__(model, prompt, policy, ppo or LMPPOConfig(), seed)

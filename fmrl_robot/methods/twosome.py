"""TWOSOME: a language model's normalised likelihoods of actions are the policy that PPO tunes.

Reference: Tan, Zhang, Liu, Zheng, Wang, An, "True Knowledge Comes from Practice: Aligning LLMs with
Embodied Environments via Reinforcement Learning", ICLR 2024.
Inputs: an instruction, what held at the beginning and what was done since, as a transcript.
Outputs: one of the phrases that may be chosen.

What differs from the paper: see ``METHOD.differs``.
"""

from __future__ import annotations

from typing import Any

from fmrl_robot.ablation import Ablation, Arm, Bar, Measure
from fmrl_robot.agents import LMAgent, LMPolicyConfig, LMPPOConfig, Walk
from fmrl_robot.card import MethodCard
from fmrl_robot.fm import load_language_model, require
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
_QUIRK, _PLAIN = {"locked": 1.0}, {"locked": 0.0}
MODEL = "transformers:policies/lm-prior"

ABLATION = Ablation(
    question="What does it matter how likelihoods of phrases are normalised, and that the weights "
    "know something, where what they know is right and where it is wrong?",
    paper="In Overcooked and VirtualHome better sample efficiency than PPO and SayCan, and success "
    "on unseen tasks; there are curves and no table.",
    environment="Chores in the words of lm-prior (cupboard, two things, bell), without physics. "
    "Plain: what the prior believes is right. Quirk: the bell has to be rung before the door "
    "opens, which nobody sees and the prior would do last. Success by the world's own goal, "
    "choices drawn",
    trial="fmrl_robot.reproduce.trials.twosome:trial",
    arms=(
        Arm(name="word, quirk", words="log-probability a word",
            settings=_QUIRK | {"policy": "word"}),
        Arm(name="sum, quirk", words="of the whole phrase", settings=_QUIRK | {"policy": "sum"}),
        Arm(name="random, quirk", words="a word, weights drawn instead of pretrained",
            settings=_QUIRK | {"policy": "word", "random": True}, control=True),
        Arm(name="symbolic, quirk", words="PPO of a small network over facts",
            settings=_QUIRK | {"policy": "symbolic"}),
        Arm(name="word, plain", words="log-probability a word",
            settings=_PLAIN | {"policy": "word"}),
        Arm(name="sum, plain", words="of the whole phrase", settings=_PLAIN | {"policy": "sum"}),
        Arm(name="random, plain", words="a word, weights drawn instead of pretrained",
            settings=_PLAIN | {"policy": "word", "random": True}),
        Arm(name="symbolic, plain", words="PPO of a small network over facts",
            settings=_PLAIN | {"policy": "symbolic"}),
    ),
    measures=(
        Measure(name="decisions", words="decisions to 80 % success (all of them where never)"),
        Measure(name="first", words="success before it learns"),
        Measure(name="success", words="success in the end"),
        Measure(name="entropy", words="entropy of the first decision", unit="nats"),
        Measure(name="length", words="rank correlation of first chances with tokens"),
        Measure(name="swapped", words="success in the end with other things, never practised with"),
    ),
    bars=(
        Bar(words="Decisions to 80 % in the quirk world, symbolic minus word", measure="decisions",
            arm="symbolic, quirk", against="word, quirk", at_least=1000.0),
        Bar(words="the same, random weights minus pretrained", measure="decisions",
            arm="random, quirk", against="word, quirk", at_least=1000.0),
        Bar(words="the same, sum minus word", measure="decisions", arm="sum, quirk",
            against="word, quirk", at_least=0.0),
        Bar(words="decisions to 80 % in the plain world, symbolic minus word", measure="decisions",
            arm="symbolic, plain", against="word, plain", at_least=1000.0),
        Bar(words="success at first in the plain world, sum minus word", measure="first",
            arm="sum, plain", against="word, plain", at_least=0.15),
        Bar(words="entropy at first, word minus sum", measure="entropy", arm="word, quirk",
            against="sum, quirk", at_least=0.3),
        Bar(words="first chances by sum fall with tokens", measure="length", arm="sum, quirk",
            at_most=-0.10),
        Bar(words="by word they do not", measure="length", arm="word, quirk", at_least=-0.15),
        Bar(words="success of random weights in the quirk world", measure="success",
            arm="random, quirk", at_most=0.5),
        Bar(words="success with other things", measure="swapped", arm="word, quirk", at_least=0.6),
    ),
    full={"decisions": 4096, "steps": 32, "looks": 32, "looks_every": 1},
    quick={"decisions": 16, "steps": 2, "looks": 2, "looks_every": 1},
    differs=(
        *METHOD.differs,
        "Only what is possible is on the list of candidates.",
        "Symbolic PPO sees no names, so that other things are no change to it.",
    ),
    curve=("decisions", "success"),
)  # fmt: skip


def prompt(instruction: str, walk: Walk) -> str:
    """What a phrase continues: the chore as far as it was done."""
    return transcript(instruction, walk.first.facts, walk.phrases)


class TWOSOME(LMAgent):
    """An Agent."""

    card = METHOD
    ablation = ABLATION

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

"""TWOSOME's trial: chores learned by a language model's likelihoods, normalised or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr

from fmrl_robot.ablation import Budget, Measured, Value
from fmrl_robot.agents import LMPolicyConfig, LMPPOConfig, SymbolicAgent, SymbolicConfig
from fmrl_robot.fm import load_language_model
from fmrl_robot.methods.twosome import MODEL, TWOSOME
from fmrl_robot.protocols import SkillEnv
from fmrl_robot.reproduce.trials.chores import KITCHEN, OFFICE, ChoreOptions, chores
from fmrl_robot.reproduce.trials.practice import LOOKS, Schedule, practise, reached, success

ENVS = 8
WORDS_OF_NUMBERS = 0.02
"""Spread of weights that are drawn instead of pretrained, as the architecture has it."""
RATES = {"sum": 1e-4, "word": 2e-4, "token": 2e-4}
"""Learning rates of the model by normalisation."""
ENOUGH = 0.8


def trial(settings: Mapping[str, Value], seed: int, budget: Budget) -> Measured:
    """Practise a chore; see Ablation.trial.

    Settings:
        locked: share of worlds whose door only the switch unlocks: 0 plain, 1 quirk.
        policy: sum, word or token, a normalisation; or symbolic, a network over facts.
        random: weights that were drawn instead of pretrained.
    """
    torch.set_num_threads(budget.threads)
    amounts, locked = budget.amounts, float(settings["locked"])
    worlds = chores(ChoreOptions(things=KITCHEN, locked=locked), ENVS)
    looks = int(amounts["looks"])
    fresh, swapped = (
        chores(ChoreOptions(things=things, locked=locked), looks) for things in (KITCHEN, OFFICE)
    )
    schedule = Schedule(
        decisions=int(amounts["decisions"]), steps=int(amounts["steps"]),
        looks_every=int(amounts["looks_every"]), greedy=False,
    )  # fmt: skip
    policy = str(settings["policy"])
    if policy == "symbolic":
        learner = SymbolicAgent(SymbolicConfig(decisions=schedule.decisions), seed)
        learner.begin(fresh.reset(LOOKS + seed))
        curve = practise(learner, worlds, fresh, seed, schedule, budget)
        scores = {"first": curve.y[0], "entropy": 0.0, "length": 0.0, "swapped": 0.0}
        model_id = "none"
    else:
        model = load_language_model(MODEL)
        if settings.get("random"):
            redraw(model.module, seed)
        agent = TWOSOME(
            model, policy=LMPolicyConfig(weights="full", norm=policy),  # pyright: ignore
            ppo=LMPPOConfig(learning_rate=RATES[policy]), seed=seed,
        )  # fmt: skip
        model_id = model.model_id
        entropy, length = at_first(agent, fresh, seed)
        curve = practise(agent, worlds, fresh, seed, schedule, budget)
        scores = {
            "first": curve.y[0], "entropy": entropy, "length": length,
            "swapped": success(agent, swapped, LOOKS + seed, greedy=False),
        }  # fmt: skip
    scores |= {"decisions": reached(curve, ENOUGH), "success": curve.y[-1]}
    return Measured(scores=scores, curves={"success": curve}, model=model_id)


def redraw(module: Any, seed: int) -> None:
    """Draw all weights anew, as before a training."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in module.parameters():
            if weights.ndim > 1:
                weights.normal_(0.0, WORDS_OF_NUMBERS, generator=rng)
            else:
                weights.fill_(1.0)


def at_first(agent: TWOSOME, worlds: SkillEnv, seed: int) -> tuple[float, float]:
    """Entropy of the first decision, nats, and the rank correlation of chance with tokens."""
    now = worlds.reset(LOOKS + seed)
    agent.begin(now)
    asked, _ = agent.questions(now)
    with torch.no_grad():
        policy = agent.policy.distribution(asked)
    lengths = [[len(agent.policy.model.encode(c)) for c in q.candidates] for q in asked]
    chances = policy.log_probs.numpy()
    ranks: list[Any] = [spearmanr(p, n) for p, n in zip(chances, lengths, strict=True)]
    bias = [float(r.statistic) for r in ranks]
    return float(policy.entropy().mean()), float(np.mean(bias))

"""LLM4Teach's trial: chores learned by a small network, with a language model as teacher or not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from fmrl_robot.ablation import Budget, Measured, Value
from fmrl_robot.agents import SymbolicConfig
from fmrl_robot.fm import guarded, load_language_model
from fmrl_robot.methods.llm4teach import MODEL, Guidance, LLM4Teach
from fmrl_robot.protocols import SkillEnv
from fmrl_robot.reproduce.trials.chores import PANTRY, ChoreOptions, chores
from fmrl_robot.reproduce.trials.practice import LOOKS, Schedule, practise, reached

ANSWERS = "answers"
"""Folder beside those of the trials: what one teacher was asked, no other is."""
ENVS, ENOUGH = 8, 0.8
LOCKED, CLOSING = 0.15, 0.5
"""Shares of doors that only the switch unlocks, which the teacher does not know of, and of chores
that want the door closed in the end."""


def trial(settings: Mapping[str, Value], seed: int, budget: Budget) -> Measured:
    """Practise with or without a teacher; see Ablation.trial.

    Settings:
        weight: of the teacher at first; 0: PPO alone.
        until: share of the training at which it has fallen to nothing; 0: never.
        kind: soft, a distribution, or hard, the likeliest phrase.
        wrong: share of prompts at which the teacher names any phrase.
    """
    torch.set_num_threads(budget.threads)
    amounts = budget.amounts
    options = ChoreOptions(things=PANTRY, locked=LOCKED, closing=CLOSING)
    worlds, fresh = chores(options, ENVS), chores(options, int(amounts["looks"]))
    schedule = Schedule(
        decisions=int(amounts["decisions"]), steps=int(amounts["steps"]),
        looks_every=int(amounts["looks_every"]),
    )  # fmt: skip
    guidance = Guidance(
        weight=float(settings["weight"]), until=float(settings.get("until", 0.5)),
        kind="hard" if settings.get("kind") == "hard" else "soft",
        wrong=float(settings.get("wrong", 0.0)),
    )  # fmt: skip
    model = guarded(load_language_model(MODEL), budget.folder.parent / ANSWERS)
    config = SymbolicConfig(decisions=schedule.decisions)
    agent = LLM4Teach(model, config=config, guidance=guidance, seed=seed)
    agent.begin(fresh.reset(LOOKS + seed))
    curve = practise(agent, worlds, fresh, seed, schedule, budget)
    scores = {
        "decisions": reached(curve, ENOUGH), "success": curve.y[-1],
        "above": curve.y[-1] - taught_success(agent, fresh, LOOKS + seed),
        "asked": float(agent.teacher.asked),
    }  # fmt: skip
    return Measured(
        scores=scores,
        curves={"success": curve},
        model=model.model_id if guidance.weight else "none",
    )


def taught_success(agent: LLM4Teach, worlds: SkillEnv, seed: int) -> float:
    """Share of worlds whose first episode ends well, done as the teacher thinks best."""
    now = worlds.reset(seed)
    agent.teacher.begin(now)
    over = np.zeros(worlds.num_envs, np.bool_)
    won = np.zeros(worlds.num_envs, np.bool_)
    while not over.all():
        chosen = agent.teacher(now).argmax(-1).tolist()
        phrases = [view.phrases[c] for view, c in zip(now.views, chosen, strict=True)]
        now = worlds.step(chosen)
        agent.teacher.observe(phrases, now)
        won |= ~over & (now.rewards > 0)
        over |= now.terminated | now.truncated
    return float(won.mean())

"""VLM-RM's trial: learn two goals from the pictures alone, and how far the score is from truth."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from fmrl_robot.ablation import Budget, Curve, Measured, Value
from fmrl_robot.evaluations.seen_policy import (
    GOALS,
    Goal,
    by_reward,
    by_truth,
    curve,
    judge,
    learn,
    recipe,
)  # fmt: skip
from fmrl_robot.registry import FRAMES, TASKS
from fmrl_robot.rewards.similarity import load, reward
from fmrl_robot.skills.captioner import caption
from fmrl_robot.train.recipes.clip_embedded.card import epic
from fmrl_robot.types import Predicate

CAMERAS = {"above": ("front", "wrist"), "sitting": ("follow",)}
TEXTURED = {"above": "tabletop", "sitting": "ground"}
"""Renderers of labelled frames whose textures no training has seen."""
OTHER = {
    "above": Predicate("above", ("gripper", "bin")),
    "sitting": Predicate("lying", ("robot",)),
}
"""Goals whose sentence the control is given."""
SIZE = 128
MIN_HOLDS = 3
"""Frames with and without the goal that a distance needs."""
JUDGED_BY, FRAMES_BY = 10_000, 30_000
"""Added to a trial's seed: of the episodes that judge, and of frames."""


def trial(settings: Mapping[str, Value], seed: int, budget: Budget) -> Measured:
    """Train a policy for each goal and judge it; see Ablation.trial.

    Settings:
        by: ``vlm_rm`` or ``truth``.
        alpha: of the projection.
        both: of the arm two cameras.
        other: the sentence is of another goal.
    """
    amounts = {name: int(value) for name, value in budget.amounts.items()}
    envs = amounts["envs"]
    success: dict[str, float] = {}
    distance: dict[str, float] = {}
    curves: dict[str, Curve] = {}
    vision = load("embedded") if settings["by"] == "vlm_rm" else None
    for name, goal in GOALS.items():
        cameras = CAMERAS[name][: None if settings.get("both") else 1]
        fact = OTHER[name] if settings.get("other") else goal.fact
        alpha = float(settings.get("alpha", 0.0))
        of_reward = {"goal": caption(fact), "baseline": goal.baseline, "alpha": alpha}
        outside = by_truth()
        if vision is not None:
            outside = by_reward(goal, "vlm_rm", of_reward, envs=envs)
        folder = budget.folder / name
        config = recipe(goal, outside, amounts["episodes"], seed, cameras=cameras, envs=envs)
        actor = learn(config, folder, budget.report).networks.plain_actor()
        judged = judge(goal, actor, amounts["judged"], JUDGED_BY + seed, envs=envs)
        success[name] = judged.success
        curves[f"success of {name}"] = curve(folder, goal, envs)
        if vision is not None:
            wanted, baseline = vision.embed_texts([caption(fact), goal.baseline])
            for look, (seen, truth) in frames(name, amounts["frames"], seed).items():
                if MIN_HOLDS <= truth.sum() <= len(truth) - MIN_HOLDS:
                    value = reward(seen, wanted, baseline, alpha)
                    distance[f"{name}, {look}"] = epic(value, truth)
    scores: dict[str, float | Mapping[str, float]] = {"success": success, **success}
    if distance:
        scores["epic"] = distance
    return Measured(scores=scores, curves=curves, model=vision.model_id if vision else "")


@cache
def frames(name: str, count: int, seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Vectors (count, dim) of labelled frames, and whether the goal holds, by their look."""
    goal, vision = GOALS[name], load("embedded")
    drawn = list(FRAMES.load(TEXTURED[name])(count, FRAMES_BY + seed, SIZE, unseen=True))
    textured = vision.embed_images([frame.image for frame in drawn])
    holds = np.array([goal.fact in frame.facts for frame in drawn], np.int8)
    return {"textured": (textured, holds), "plain": plain(goal, vision, count, FRAMES_BY + seed)}


def plain(goal: Goal, vision: Any, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The same of the small world as it looks, where a policy by chance comes to."""
    import torch

    env = TASKS.load(goal.task)(num_envs=1, seed=seed)
    env.show(("frame", "truth"))
    env.reset()
    rng = torch.Generator().manual_seed(seed)
    seen: list[np.ndarray] = []
    holds: list[np.ndarray] = []
    for _ in range(count):
        action = 2.0 * torch.rand((1, env.num_actions), generator=rng) - 1.0
        shown = env.step(action)[3]["shown"]
        seen.append(vision.embed_images(list(shown["frame"][:, 0])))
        holds.append(shown["truth"][:, 0] > 0.0)
    return np.concatenate(seen), np.concatenate(holds).astype(np.int8)

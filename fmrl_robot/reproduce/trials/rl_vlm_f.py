"""RL-VLM-F's trial: learn to sit from comparisons of pictures, then ask what labels were worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fmrl_robot.ablation import Budget, Measured, Value
from fmrl_robot.evaluations.seen_policy import (
    SITTING,
    by_reward,
    by_truth,
    curve,
    judge,
    learn,
    recipe,
)  # fmt: skip
from fmrl_robot.registry import TASKS
from fmrl_robot.rewards.comparison import Nearer
from fmrl_robot.rewards.rl_vlm_f import PreferenceReward

FAR = {"near": (0.0, 0.5), "middling": (0.5, 1.5), "far": (1.5, np.inf)}
"""Between two states, by how much truth differs, in spreads of what decides the posture."""
JUDGED_BY, STATES_BY = 10_000, 20_000
"""Added to a trial's seed: of the episodes that judge, and of fresh states."""
CURVE = "success while it learns"


def trial(settings: Mapping[str, Value], seed: int, budget: Budget) -> Measured:
    """Train one policy and judge it; see Ablation.trial.

    Settings:
        by: ``rl_vlm_f`` or ``truth``.
        relabel: whether what is kept is rewarded anew when the reward has changed.
        labeller, learns, abstains, wrong: as PreferenceReward has them.
    """
    amounts = {name: int(value) for name, value in budget.amounts.items()}
    envs = amounts["envs"]
    asked = {k: v for k, v in settings.items() if k not in ("by", "relabel")}
    outside = by_truth()
    if settings["by"] == "rl_vlm_f":
        of_reward = {"goal": SITTING.sentence, "pairs": amounts["pairs"], "seed": seed, **asked}
        outside = by_reward(
            SITTING, "rl_vlm_f", of_reward, envs=envs, learn_every=amounts["learn_every"],
            relabel=bool(settings.get("relabel", True)),
            scale_steps=0,  # a learned reward lies between -1 and 1 already, as in the paper
        )  # fmt: skip
    folder = budget.folder / "training"
    trainer = learn(
        recipe(SITTING, outside, amounts["episodes"], seed, envs=envs), folder, budget.report
    )
    actor = trainer.networks.plain_actor()
    judged = judge(SITTING, actor, amounts["judged"], JUDGED_BY + seed, envs=envs)
    scores: dict[str, float | Mapping[str, float]] = {"success": judged.success}
    model = ""
    if trainer.outside is not None:
        reward: PreferenceReward = trainer.outside.reward("seen")
        scores |= labels(reward, amounts["states"], STATES_BY + seed)
        model = reward.model_id
    return Measured(scores=scores, curves={CURVE: curve(folder, SITTING, envs)}, model=model)


def labels(reward: PreferenceReward, states: int, seed: int) -> dict[str, Any]:
    """What answers and the learned reward are worth on states of a policy that acts by chance."""
    from scipy.stats import spearmanr

    seen, truth = fresh(reward, states, seed)
    rng = np.random.default_rng(seed)
    first, second = rng.integers(len(seen), size=(2, 4 * states))
    label, apart = reward.compare(seen[first], seen[second]), truth[second] - truth[first]
    said = label != Nearer.NEITHER
    right: dict[str, float] = {}
    for name, (low, high) in FAR.items():
        mine = said & (np.abs(apart) > low) & (np.abs(apart) <= high)
        if mine.any():
            right[name] = float((label[mine] == (apart[mine] > 0)).mean())
    near = np.abs(apart) <= FAR["near"][1]
    rank: Any = spearmanr(reward.score_steps(seen, None)[0], truth)
    told: dict[str, Any] = {"right": right, "rank": float(np.nan_to_num(rank.statistic))}
    told["near abstained"] = float((~said[near]).mean()) if near.any() else 0.0
    return told | ({"far right": right["far"]} if "far" in right else {})


def fresh(reward: PreferenceReward, states: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """What the reward makes of states (states, dim), and the truth of each, (states,)."""
    import torch

    env = TASKS.load(SITTING.task)(num_envs=8, seed=seed)
    env.show(("frame", "truth"))
    env.reset()
    rng = torch.Generator().manual_seed(seed)
    seen: list[np.ndarray] = []
    truth: list[np.ndarray] = []
    for _ in range(-(-states // env.num_envs)):
        action = 2.0 * torch.rand((env.num_envs, env.num_actions), generator=rng) - 1.0
        shown = env.step(action)[3]["shown"]
        seen.append(reward.embed(shown))
        truth.append(shown["truth"][:, 0])
    return np.concatenate(seen), np.concatenate(truth)

"""``fmrl eval clip-policy``: what does a policy learn whose only reward is what the camera shows?

For each of two goals soft actor-critic is trained on the vision model's similarity alone, as in
VLM-RM, section 4; ground truth only judges. Beside it stand a policy that was not trained, and one
trained on ground truth. A policy whose reward is high where the goal does not hold hacks it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fmrl_robot.evaluations.seen_policy import (
    GOALS,
    Goal,
    Judged,
    by_reward,
    by_truth,
    judge,
    learn,
    recipe,
)  # fmt: skip
from fmrl_robot.rewards.similarity import load
from fmrl_robot.shares import share
from fmrl_robot.train.cards import card_to_note_in, note_in_card

EPISODES = 900
JUDGED = 100


def policy(goal: Goal, by: str, model: str, episodes: int, seed: int, folder: Path) -> Any:
    """Train one policy; ``by``: ``picture``, ``truth`` or ``nothing``."""
    settings = {"goal": goal.sentence, "baseline": goal.baseline, "vision_model": model}
    outside = by_reward(goal, "vlm_rm", settings) if by == "picture" else by_truth()
    config = recipe(goal, outside, episodes, seed)
    if by == "nothing":
        config = replace(config, iterations=0)
    return learn(config, folder / by, lambda _: None).networks.plain_actor()


def told(judged: Judged) -> dict[str, Any]:
    """Successes, and the reward where there are some and where there are none."""
    truth, value = judged.holds, judged.reward
    return {
        "success": share(int(truth.sum()), len(truth)),
        "reward": float(value.mean()),
        "reward_where_it_holds": float(value[truth].mean()) if truth.any() else None,
        "reward_where_it_does_not": float(value[~truth].mean()) if (~truth).any() else None,
    }


def main(arguments: Sequence[str]) -> int:
    """Train and judge; note the figures in a card where asked to."""
    parser = argparse.ArgumentParser(prog="fmrl eval clip-policy", description=__doc__)
    parser.add_argument("--vision-model", default="embedded")
    parser.add_argument("--episodes", type=int, default=EPISODES)
    parser.add_argument("--judged", type=int, default=JUDGED)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--card", type=Path, help="card.json to note the result in")
    given = parser.parse_args(arguments)
    card_to_note_in(given.card)
    vision = load(given.vision_model)
    report: dict[str, Any] = {"model": vision.model_id, "episodes": given.episodes}
    for goal in GOALS.values():
        rows: dict[str, Any] = {}
        for by in ("nothing", "picture", "truth"):
            with TemporaryDirectory() as folder:
                actor = policy(
                    goal, by, given.vision_model, given.episodes, given.seed, Path(folder)
                )
            rows[by] = told(judge(goal, actor, given.judged, given.seed + 10_000, vision=vision))
            print(json.dumps({"goal": str(goal.fact), "learned_by": by, **rows[by]}), flush=True)  # noqa: T201
        # High reward without the goal, and more of it than where the goal holds: hacked.
        seen, true = rows["picture"], rows["truth"]
        rows["hacked"] = seen["success"]["share"] < 0.5 and seen["reward"] > true["reward"]
        report[str(goal.fact)] = rows
    if given.card is not None:
        note_in_card(given.card, "policy_by_reward_alone", report)
    return 0

"""``fmrl eval clip-policy``: what does a policy learn whose only reward is what the camera shows?

For each of two goals soft actor-critic is trained on the vision model's similarity alone, as in
VLM-RM, section 4; ground truth only judges. Beside it stand a policy that was not trained, and one
trained on ground truth. A policy whose reward is high where the goal does not hold hacks it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fmrl_robot.registry import SEEN_ENVS
from fmrl_robot.rewards.vlm_rm import BASELINES, load, reward
from fmrl_robot.shares import share
from fmrl_robot.skills.captioner import caption
from fmrl_robot.train.cards import card_to_note_in, note_in_card
from fmrl_robot.types import Predicate

Score = Callable[[np.ndarray], float]
"""Of one embedded picture, shape (dim,)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """What a policy is to bring about."""

    env: str
    """Name in SEEN_ENVS."""
    robot: str
    """Kind, for the baseline sentence."""
    fact: Predicate


GOALS = (
    Goal(env="tool", robot="arm", fact=Predicate("above", ("gripper", "red_cube"))),
    Goal(env="posture", robot="quadruped", fact=Predicate("sitting", ("robot",))),
)
EPISODES = 900
JUDGED = 100
ENVS = 8
"""Episodes side by side."""


class Rewarded:
    """Several worlds in step, their rewards by picture or by truth."""

    def __init__(self, goal: Goal, vision: Any, by: str, seed: int) -> None:
        self.worlds = [SEEN_ENVS.load(goal.env)() for _ in range(ENVS)]
        self._goal, self._vision, self._by = goal, vision, by
        self._texts = vision.embed_texts([caption(goal.fact), BASELINES[goal.robot]])
        self._rng = np.random.default_rng(seed)

    def reset(self) -> np.ndarray:
        """Begin an episode everywhere; observations (worlds, size)."""
        return np.stack([world.reset(self._rng) for world in self.worlds])

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Act everywhere; return observations and rewards (worlds,)."""
        seen = np.stack([w.step(a) for w, a in zip(self.worlds, actions, strict=True)])
        return seen, self.rewards()

    def rewards(self) -> np.ndarray:
        """Rewards of where the worlds are now, shape (worlds,)."""
        if self._by == "truth":
            return np.array([float(w.holds(self._goal.fact)) for w in self.worlds])
        vectors = self._vision.embed_images([w.picture() for w in self.worlds])
        return np.array([reward(v, self._texts[0], self._texts[1], 0.0) for v in vectors])

    def close(self) -> None:
        """Free the renderers."""
        for world in self.worlds:
            world.close()


def learn(goal: Goal, vision: Any, by: str, episodes: int, seed: int) -> Any:
    """Train one policy; returns its networks. ``by``: ``picture``, ``truth`` or ``nothing``."""
    import torch

    from fmrl_robot.train.learner import Rollout
    from fmrl_robot.train.sac import SAC, SACConfig
    from fmrl_robot.train.soft_networks import SoftActorCritic

    torch.manual_seed(seed)
    worlds = Rewarded(goal, vision, by, seed)
    env = worlds.worlds[0]
    sizes = (env.observations, env.observations, env.actions)
    config = SACConfig(updates=ENVS, batch=256, learning_starts=600, gamma=0.95, window=1,
                       capacity=60_000, target_entropy=-0.5)  # fmt: skip
    networks = SoftActorCritic((config.actor, config.critic), sizes)
    learner, rng = SAC(config, networks, ENVS, seed), torch.Generator().manual_seed(seed)
    mean, spread = 0.0, 1.0
    for episode in range(episodes // ENVS if by != "nothing" else 0):
        seen = torch.as_tensor(worlds.reset(), dtype=torch.float32)
        for step in range(env.steps):
            with torch.no_grad():
                action, middle = networks.explore(seen, rng)
            after, rewards = worlds.step(action.numpy())
            if episode == 0:
                # The scale of cosines differs between models; the first episodes set it.
                mean, spread = float(rewards.mean()), float(rewards.std() + 1e-3)
            end = torch.full((1, ENVS), step == env.steps - 1)
            after = torch.as_tensor(after, dtype=torch.float32)
            scaled = torch.as_tensor((rewards - mean) / spread, dtype=torch.float32)
            learner.update(
                Rollout(
                    policy=seen[None], critic=seen[None], output=middle[None], action=action[None],
                    reward=scaled[None], done=end, time_out=end, last=after,
                )
            )  # fmt: skip
            seen = after
    worlds.close()
    return networks


def judge(goal: Goal, vision: Any, networks: Any, episodes: int, seed: int) -> dict[str, Any]:
    """Run the deterministic policy; ground truth at the end, and the reward it was after."""
    import torch

    worlds = Rewarded(goal, vision, "picture", seed)
    done: list[bool] = []
    rewards: list[float] = []
    for _ in range(-(-episodes // ENVS)):
        seen = worlds.reset()
        last = np.zeros(ENVS)
        for _ in range(worlds.worlds[0].steps):
            with torch.no_grad():
                observed = torch.as_tensor(seen, dtype=torch.float32)
                action = networks.explore(observed, torch.Generator().manual_seed(0))[1]
            seen, last = worlds.step(action.numpy())
        done += [world.holds(goal.fact) for world in worlds.worlds]
        rewards += last.tolist()
    worlds.close()
    truth, value = np.array(done), np.array(rewards)
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
    for goal in GOALS:
        rows: dict[str, Any] = {}
        for by in ("nothing", "picture", "truth"):
            networks = learn(goal, vision, by, given.episodes, given.seed)
            rows[by] = judge(goal, vision, networks, given.judged, given.seed + 10_000)
            print(json.dumps({"goal": str(goal.fact), "learned_by": by, **rows[by]}), flush=True)  # noqa: T201
        # High reward without the goal, and more of it than where the goal holds: hacked.
        seen, true = rows["picture"], rows["truth"]
        rows["hacked"] = seen["success"]["share"] < 0.5 and seen["reward"] > true["reward"]
        report[str(goal.fact)] = rows
    if given.card is not None:
        note_in_card(given.card, "policy_by_reward_alone", report)
    return 0

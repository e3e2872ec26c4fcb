"""A policy that learns by what is seen of it: one recipe for every reward, and its judge.

The recipe is an ordinary training run with a term from outside (fmrl_robot/train/outside.py); the
reward under test never judges: what counts is ground truth at the end of fresh episodes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fmrl_robot.ablation import Curve
from fmrl_robot.registry import TASKS
from fmrl_robot.rewards.similarity import reward
from fmrl_robot.rewards.vlm_rm import BASELINES
from fmrl_robot.skills.captioner import caption
from fmrl_robot.train.config import TrainConfig
from fmrl_robot.train.outside import OutsideConfig, Term
from fmrl_robot.train.sac import SACConfig
from fmrl_robot.types import Predicate

ENVS = 8
"""Episodes side by side, where nobody says otherwise; an iteration is one episode of each."""
SCALED_BY = 2
"""Iterations whose rewards set the scale of a reward from outside."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """What a policy is to bring about."""

    task: str
    """Its own reward is ground truth."""
    robot: str
    """Kind, for the baseline sentence."""
    fact: Predicate
    steps: int
    """Of an episode."""

    @property
    def sentence(self) -> str:
        """What shall be seen."""
        return caption(self.fact)

    @property
    def baseline(self) -> str:
        """True of every frame."""
        return BASELINES[self.robot]


ABOVE = Goal(
    task="panda-above", robot="arm", fact=Predicate("above", ("gripper", "red_cube")), steps=16
)
SITTING = Goal(
    task="go2-sit-seen", robot="quadruped", fact=Predicate("sitting", ("robot",)), steps=12
)
GOALS = {"above": ABOVE, "sitting": SITTING}


def by_truth() -> OutsideConfig:
    """Learn from ground truth."""
    return OutsideConfig()


def by_reward(
    goal: Goal, name: str, settings: Mapping[str, Any], *, envs: int = ENVS, **how: Any
) -> OutsideConfig:
    """Learn from one reward from outside alone; ``how``: further fields of OutsideConfig."""
    term = Term(reward=name, settings=dict(settings))
    scaled: dict[str, Any] = {"scale_steps": SCALED_BY * envs * goal.steps, "clip": 5.0}
    return OutsideConfig(terms={"seen": term}, **scaled | how)


def recipe(
    goal: Goal,
    outside: OutsideConfig,
    episodes: int,
    seed: int,
    *,
    cameras: Sequence[str] = (),
    envs: int = ENVS,
) -> TrainConfig:
    """Soft actor-critic, one update a step; updates begin after 600 steps, or a quarter of all."""
    each = envs * goal.steps
    sac = SACConfig(
        updates=each, batch=256, learning_starts=min(600, max(1, episodes * goal.steps // 4)),
        gamma=0.95, window=1, capacity=60_000, target_entropy=-0.5,
    )  # fmt: skip
    return TrainConfig(
        task=goal.task,
        task_settings={"num_envs": envs, "cameras": list(cameras)},
        outside=outside,
        algorithm="sac",
        sac=sac,
        iterations=max(1, episodes // envs),
        steps_per_env=goal.steps,
        save_every=10,
        seed=seed,
        threads=1,
    )


def learn(config: TrainConfig, folder: Path, report: Callable[[str], None]) -> Any:
    """Train, or go on with what was begun in ``folder``; return the trainer."""
    from fmrl_robot.train.trainer import CHECKPOINT, train

    folder.mkdir(parents=True, exist_ok=True)
    begun = (folder / CHECKPOINT).is_file()
    return train(config, folder, resume=begun, report=report)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """Ends of fresh episodes, (episodes,) each."""

    holds: np.ndarray
    reward: np.ndarray
    """VLM-RM's score at the end; empty where no model was given."""

    @property
    def success(self) -> float:
        """Share in which the fact held."""
        return float(self.holds.mean())


def judge(
    goal: Goal, actor: Any, episodes: int, seed: int, *, vision: Any = None, envs: int = ENVS
) -> Judged:
    """Run a deterministic policy to the end of fresh episodes; ``vision``: score those ends."""
    import torch

    env = TASKS.load(goal.task)(num_envs=envs, seed=seed)
    if vision is not None:
        env.show(("frame",))
    holds: list[bool] = []
    scores: list[float] = []
    seen = env.reset()["policy"]
    for _ in range(-(-episodes // envs)):
        extras: dict[str, Any] = {}
        for _ in range(env.max_episode_length):
            with torch.no_grad():
                obs, _, _, extras = env.step(actor(seen).clamp(-1.0, 1.0))
            seen = obs["policy"]
        holds += extras["success"].tolist()
        if vision is not None:
            texts = vision.embed_texts([goal.sentence, goal.baseline])
            vectors = vision.embed_images(list(extras["shown"]["frame"][:, 0]))
            scores += reward(vectors, texts[0], texts[1], 0.0).tolist()
    return Judged(holds=np.array(holds), reward=np.array(scores))


def curve(folder: Path, goal: Goal, envs: int = ENVS) -> Curve:
    """Success at the ends of episodes by environment steps, while it learned."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    told: Any = events.Tags()["scalars"]
    rows = events.Scalars("episode/success") if "episode/success" in told else []
    if len(rows) < 2:
        return Curve(x=(0.0, 1.0), y=(0.0, 0.0))
    each = envs * goal.steps
    return Curve(x=tuple(float(r.step * each) for r in rows), y=tuple(float(r.value) for r in rows))

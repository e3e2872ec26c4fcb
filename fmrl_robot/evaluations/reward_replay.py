"""``fmrl eval reward-replay RUN_DIR``: do a recording's rewards come out again?

A run's mcap holds what the camera's frames became in the model's space. The offline scorer, which
is the reward node's own code, scores them once more; live and replayed values have to agree. With
``--goal`` the same frames are scored against another sentence.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.registry import REWARDS
from fmrl_robot.rewards.vlm_rm import BASELINES
from fmrl_robot.types import Predicate, SubGoal, SubGoalKind, Success

TOLERANCE = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """One reward as it was published."""

    subgoal: SubGoal
    """As it stood when the reward came; a later task may use its id for another."""
    source: str
    version: str
    value: float
    valid: bool
    success: Success
    components: dict[str, float]
    embedding: np.ndarray
    """Unit vector, shape (dim,)."""


def read(run: Path) -> list[Recorded]:
    """Read the rewards of a recording that carry embeddings, in order of time.

    Raises:
        ConfigError: there is no recording, none of its rewards carries an embedding, or the
            sub-goal of one is missing.
    """
    subgoals: dict[str, SubGoal] = {}
    rewards: list[Recorded] = []
    for topic, message in _messages(run):
        if topic.endswith("/subgoal"):
            fact = message.termination
            subgoals[message.id] = SubGoal(
                id=message.id,
                kind=SubGoalKind(message.kind),
                text=message.text,
                termination=Predicate(fact.name, tuple(fact.args), value=fact.value)
                if fact.name
                else None,
            )
        elif len(message.embedding):
            if message.subgoal_id not in subgoals:
                raise ConfigError(
                    f"expected sub-goal {message.subgoal_id!r} before its rewards in {run}, found "
                    "none; record from the start of the task",
                    ErrorCode.ASSET_MISSING,
                )
            rewards.append(
                Recorded(
                    subgoal=subgoals[message.subgoal_id],
                    source=message.source,
                    version=message.version,
                    value=message.value,
                    valid=message.valid,
                    success=Success(message.success),
                    components=dict(
                        zip(message.component_names, message.component_values, strict=True)
                    ),
                    embedding=np.asarray(message.embedding, np.float32),
                )
            )
    if not rewards:
        raise ConfigError(
            f"expected rewards with embeddings in {run}, found none; record a run whose reward "
            "model embeds what it sees and was taught the sub-goals' sentences",
            ErrorCode.ASSET_MISSING,
        )
    return rewards


def _messages(run: Path) -> Iterator[tuple[str, Any]]:
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    files = sorted(run.glob("*.mcap"))
    if not files:
        raise ConfigError(
            f"expected a recording (*.mcap) in {run}, found none", ErrorCode.ASSET_MISSING
        )
    decoders = DecoderFactory()
    with files[0].open("rb") as stream:
        for schema, channel, message in make_reader(stream).iter_messages():
            # Only these are decoded: the decoder stumbles over the name of an action's feedback.
            if channel.topic.endswith(("/subgoal", "/reward")):
                decode = decoders.decoder_for(channel.message_encoding, schema)
                if decode is not None:
                    yield channel.topic, decode(message.data)


def same(recorded: Recorded, vision_model: str = "embedded") -> Any:
    """Build the reward model that gave a recorded reward.

    Raises:
        ConfigError: with this vision model it would be another one.
    """
    found = [
        REWARDS.load(recorded.source)(vision_model=vision_model, baseline=baseline)
        for baseline in BASELINES.values()
    ]
    for reward in found:
        if reward.version == recorded.version:
            return reward
    raise ConfigError(
        f"expected a reward of version {recorded.version!r}, {vision_model!r} makes "
        f"{found[0].version!r}; choose the model that the run was scored with"
    )


def replay(reward: Any, rewards: Sequence[Recorded]) -> dict[str, Any]:
    """Score a recording's frames again; return how far the values are from those recorded."""
    differ = verdicts = 0
    worst = 0.0
    for recorded in rewards:
        if recorded.components.get("frames") == 1.0:
            reward.reset(recorded.subgoal)
        out = reward.score_embedded(recorded.embedding[None])[0]
        apart = abs(out.value - recorded.value)
        again = dict(out.components)
        apart = max([apart, *(abs(again[k] - v) for k, v in recorded.components.items())])
        worst = max(worst, apart)
        differ += apart > TOLERANCE
        # A frame that came late was published as unknown, whatever was seen in it.
        verdicts += recorded.valid and out.success != recorded.success
    return {
        "frames": len(rewards),
        "values_that_differ": differ,
        "verdicts_that_differ": int(verdicts),
        "largest_difference": worst,
    }


def rescore(reward: Any, goal: str, rewards: Sequence[Recorded]) -> list[float]:
    """Score a recording's frames against another goal."""
    reward.reset(SubGoal(id="goal", kind=SubGoalKind.TEXT, text=goal))
    return [out.value for out in reward.score_embedded(np.stack([r.embedding for r in rewards]))]


def main(arguments: Sequence[str]) -> int:
    """Replay; the exit code is 0 if nothing differs."""
    parser = argparse.ArgumentParser(prog="fmrl eval reward-replay", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a recorded run")
    parser.add_argument("--vision-model", default="embedded")
    parser.add_argument("--goal", help="score against this sentence instead")
    given = parser.parse_args(arguments)
    rewards = read(given.run)
    reward = same(rewards[0], given.vision_model)
    if given.goal:
        values = rescore(reward, given.goal, rewards)
        print(json.dumps({"goal": given.goal, "values": [round(v, 4) for v in values]}))  # noqa: T201
        return 0
    report = replay(reward, rewards)
    print(json.dumps(report))  # noqa: T201
    return int(report["values_that_differ"] + report["verdicts_that_differ"] > 0)

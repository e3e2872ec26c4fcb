"""Scenes, rewards and model usage."""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import Vector3

from fmrl_msgs import msg as fm
from fmrl_nodes.conversions.checks import finite, number, one_of, pairs
from fmrl_nodes.conversions.geometry import (
    header,
    pose_from_msg,
    pose_to_msg,
    time_from_msg,
    vector_from_msg,
)
from fmrl_nodes.conversions.plans import predicates_from_msg, predicates_to_msg
from fmrl_nodes.errors import BadMessage
from fmrl_robot.types import (
    FloatArray,
    RewardOut,
    Scene,
    SceneObject,
    Success,
    Usage,
)


def scene_to_msg(scene: Scene, frame: str = "panda_link0") -> fm.Scene:
    """A scene whose object poses are in ``frame``."""
    return fm.Scene(
        header=header(scene.stamp_s, frame),
        objects=[
            fm.SceneObject(
                name=o.name,
                category=o.category,
                color=o.color,
                pose=pose_to_msg(o.pose),
                size=Vector3(x=float(o.size[0]), y=float(o.size[1]), z=float(o.size[2])),
                travel=float(o.travel),
                confidence=float(o.confidence),
                visible=o.visible,
            )
            for o in scene.objects
        ],
        predicates=predicates_to_msg(scene.predicates),
        caption=scene.caption,
        source=scene.source,
    )


def scene_from_msg(message: fm.Scene) -> Scene:
    """A scene from the wire.

    Raises:
        BadMessage: a number is not finite, a size is negative, or an orientation is none.
    """
    frame = message.header.frame_id
    return Scene(
        stamp_s=time_from_msg(message.header.stamp),
        objects=tuple(
            SceneObject(
                name=o.name,
                category=o.category,
                color=o.color,
                pose=pose_from_msg(o.pose, frame),
                size=_size(o.size),
                travel=number("travel", o.travel),
                confidence=number("confidence", o.confidence),
                visible=o.visible,
            )
            for o in message.objects
        ),
        predicates=frozenset(predicates_from_msg(message.predicates)),
        caption=message.caption,
        source="ground_truth" if message.source == "ground_truth" else "camera",
    )


def _size(message: Vector3) -> FloatArray:
    size = vector_from_msg(message, "size")
    if (size < 0.0).any():
        raise BadMessage(f"expected a size of no negative extent, got {size.tolist()}")
    return size


def reward_to_msg(
    reward: RewardOut,
    *,
    stamp_s: float,
    subgoal_id: str,
    source: str,
    version: str = "",
    staleness_s: float = 0.0,
) -> fm.Reward:
    """A score of the frame taken at ``stamp_s``."""
    return fm.Reward(
        header=header(stamp_s),
        subgoal_id=subgoal_id,
        source=source,
        version=version,
        value=float(reward.value),
        component_names=[name for name, _ in reward.components],
        component_values=[float(value) for _, value in reward.components],
        valid=reward.valid,
        confidence=float(reward.confidence),
        staleness_s=float(staleness_s),
        success=int(reward.success),
        embedding=[] if reward.embedding is None else reward.embedding.astype(np.float32),
    )


def reward_from_msg(message: fm.Reward) -> RewardOut:
    """A score from the wire.

    Raises:
        BadMessage: a number is not finite, the verdict is not known, or the components are no
            pairs.
    """
    values = finite("component_values", message.component_values).tolist()
    embedding = finite("embedding", message.embedding).astype(np.float32)
    return RewardOut(
        value=number("value", message.value),
        success=one_of(Success, message.success),
        components=pairs("component_names and component_values", message.component_names, values),
        valid=message.valid,
        confidence=number("confidence", message.confidence),
        embedding=embedding if embedding.size else None,
    )


def usage_to_msg(usage: Usage, *, stamp_s: float, node: str) -> fm.FMUsage:
    """What ``node`` spent on one question to a model."""
    return fm.FMUsage(
        header=header(stamp_s),
        node=node,
        role=usage.role,
        model=usage.model,
        prompt_sha256=usage.prompt_sha256,
        seed=usage.seed,
        calls=usage.calls,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        latency_s=float(usage.latency_s),
        cost=float(usage.cost),
        cached=usage.cached,
    )


def usage_from_msg(message: fm.FMUsage) -> Usage:
    """What a node spent on one question to a model.

    Raises:
        BadMessage: time or cost is not finite.
    """
    return Usage(
        role=message.role,
        model=message.model,
        prompt_sha256=message.prompt_sha256,
        seed=message.seed,
        calls=message.calls,
        prompt_tokens=message.prompt_tokens,
        completion_tokens=message.completion_tokens,
        latency_s=number("latency_s", message.latency_s),
        cost=number("cost", message.cost),
        cached=message.cached,
    )

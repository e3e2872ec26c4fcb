"""Facts, sub-goals and plans."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from diagnostic_msgs.msg import KeyValue
from geometry_msgs.msg import PoseStamped

from fmrl_msgs import msg as fm
from fmrl_nodes.conversions.checks import finite, number, one_of, pairs
from fmrl_nodes.conversions.geometry import (
    header,
    pose_from_msg,
    pose_to_msg,
    velocity_from_msg,
    velocity_to_msg,
)
from fmrl_nodes.errors import BadMessage
from fmrl_robot.types import (
    ContactPattern,
    Leg,
    Plan,
    PlanStatus,
    Predicate,
    Problem,
    SubGoal,
    SubGoalKind,
)


def predicate_to_msg(predicate: Predicate | None) -> fm.Predicate:
    """A fact, or a message with an empty name for None."""
    if predicate is None:
        return fm.Predicate()
    return fm.Predicate(name=predicate.name, args=list(predicate.args), value=predicate.value)


def predicate_from_msg(message: fm.Predicate) -> Predicate | None:
    """A fact, or None where the name is empty."""
    if not message.name:
        return None
    return Predicate(message.name, tuple(message.args), message.value)


def predicates_to_msg(predicates: Iterable[Predicate]) -> list[fm.Predicate]:
    """Facts in a settled order, so that equal sets make equal messages."""
    return [predicate_to_msg(p) for p in sorted(predicates)]


def predicates_from_msg(messages: Iterable[fm.Predicate]) -> tuple[Predicate, ...]:
    """Facts, nameless ones left out."""
    return tuple(p for p in (predicate_from_msg(m) for m in messages) if p is not None)


def pattern_to_msg(pattern: ContactPattern | None) -> fm.ContactPattern:
    """A contact pattern; length 0 for None."""
    if pattern is None:
        return fm.ContactPattern()
    return fm.ContactPattern(
        legs=[leg.value for leg in pattern.legs],
        length=int(pattern.contacts.shape[1]),
        contacts=[bool(c) for c in pattern.contacts.ravel()],
        dt_s=float(pattern.dt_s),
    )


def pattern_from_msg(message: fm.ContactPattern) -> ContactPattern | None:
    """A contact pattern, or None where its length is 0.

    Raises:
        BadMessage: the number of contacts is not legs x length, a leg is not known or there twice,
            or a column lasts no time.
    """
    if message.length == 0:
        return None
    contacts = np.array(message.contacts, dtype=np.bool_)
    expected = len(message.legs) * message.length
    if contacts.size != expected:
        raise BadMessage(
            f"expected {len(message.legs)} legs x {message.length} contacts, got {contacts.size}"
        )
    legs = tuple(one_of(Leg, name) for name in message.legs)
    if len(set(legs)) != len(legs):
        raise BadMessage(f"expected each leg once, got {', '.join(legs)}")
    dt_s = number("dt_s", message.dt_s)
    if dt_s <= 0.0:
        raise BadMessage(f"expected a column to last some time, got dt_s={dt_s}")
    return ContactPattern(
        contacts=contacts.reshape(len(message.legs), message.length), legs=legs, dt_s=dt_s
    )


def subgoal_to_msg(subgoal: SubGoal, stamp_s: float = 0.0) -> fm.SubGoal:
    """A sub-goal as it travels in actions and plans."""
    message = fm.SubGoal(
        header=header(stamp_s),
        id=subgoal.id,
        kind=int(subgoal.kind),
        text=subgoal.text,
        skill=subgoal.skill,
        target=subgoal.target,
        termination=predicate_to_msg(subgoal.termination),
        has_velocity=subgoal.velocity is not None,
        pattern=pattern_to_msg(subgoal.pattern),
        predicates=[predicate_to_msg(p) for p in subgoal.predicates],
        params=[KeyValue(key=k, value=v) for k, v in subgoal.params],
        duration_s=float(subgoal.duration_s),
        timeout_s=float(subgoal.timeout_s),
    )
    if subgoal.pose is not None:
        message.pose = PoseStamped(
            header=header(stamp_s, subgoal.pose.frame), pose=pose_to_msg(subgoal.pose)
        )
    if subgoal.velocity is not None:
        message.velocity = velocity_to_msg(subgoal.velocity)
    if subgoal.embedding is not None:
        message.embedding = [float(v) for v in subgoal.embedding]
    return message


def subgoal_from_msg(message: fm.SubGoal) -> SubGoal:
    """A sub-goal from the wire.

    Raises:
        BadMessage: its kind is not known, its pattern is malformed, or a number is not finite.
    """
    frame = message.pose.header.frame_id
    return SubGoal(
        id=message.id,
        kind=one_of(SubGoalKind, message.kind),
        text=message.text,
        skill=message.skill,
        target=message.target,
        termination=predicate_from_msg(message.termination),
        pose=pose_from_msg(message.pose.pose, frame) if frame else None,
        velocity=velocity_from_msg(message.velocity) if message.has_velocity else None,
        pattern=pattern_from_msg(message.pattern),
        predicates=predicates_from_msg(message.predicates),
        embedding=finite("embedding", message.embedding) if len(message.embedding) else None,
        params=tuple((p.key, p.value) for p in message.params),
        duration_s=number("duration_s", message.duration_s),
        timeout_s=number("timeout_s", message.timeout_s),
    )


def plan_to_msg(plan: Plan, stamp_s: float = 0.0) -> fm.Plan:
    """A plan as it stands on the topic ``plan``."""
    return fm.Plan(
        header=header(stamp_s),
        task_id=plan.task_id,
        instruction=plan.instruction,
        method=plan.method,
        subgoals=[subgoal_to_msg(s, stamp_s) for s in plan.subgoals],
        edges_before=[before for before, _ in plan.edges],
        edges_after=[after for _, after in plan.edges],
        weights=[float(w) for w in plan.weights],
        goal=[predicate_to_msg(p) for p in plan.goal],
        understood=plan.understood,
        scores=[float(s) for s in plan.scores],
        status=int(plan.status),
        problems=[
            fm.Problem(code=int(p.code), message=p.message, step=-1 if p.step is None else p.step)
            for p in plan.problems
        ],
    )


def plan_from_msg(message: fm.Plan) -> Plan:
    """A plan from the wire.

    Raises:
        BadMessage: a sub-goal is malformed, the edges are no pairs, the status is not known, or a
            number is not finite.
    """
    return Plan(
        instruction=message.instruction,
        method=message.method,
        task_id=message.task_id,
        subgoals=tuple(subgoal_from_msg(s) for s in message.subgoals),
        edges=pairs("edges_before and edges_after", message.edges_before, message.edges_after),
        weights=tuple(finite("weights", message.weights).tolist()),
        goal=predicates_from_msg(message.goal),
        understood=message.understood,
        scores=tuple(finite("scores", message.scores).tolist()),
        status=one_of(PlanStatus, message.status),
        problems=tuple(
            Problem(code=p.code, message=p.message, step=None if p.step < 0 else p.step)
            for p in message.problems
        ),
    )

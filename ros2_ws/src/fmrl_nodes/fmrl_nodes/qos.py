"""Every quality-of-service profile of the graph, named once.

A publisher and a subscription that disagree silently never meet, so no node builds its own.
"""

from __future__ import annotations

from rclpy.duration import Duration
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSProfile,
    ReliabilityPolicy,
    qos_profile_sensor_data,
)

PLANNER_LEASE_S = 0.4
"""How long a planner may be silent on the wire before it counts as dead.

Its middleware speaks for it about twice in that time, whatever its Python is busy with; the
controller has to end the sub-goal within a second of the planner's death.
"""

SENSOR: QoSProfile = qos_profile_sensor_data
"""Measurements and pictures: best effort, the newest few; late ones are worthless."""

COMMAND = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.RELIABLE
)
"""Velocity commands: reliable, and only the newest counts."""

JOINT_COMMAND = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.RELIABLE
)
"""Motor commands: kept by the writer until they are acknowledged, by the reader until judged.

With depth 1 the writer replaces a command whose receipt is still on its way, and the reader, which
sees a hole, holds back what follows until a heartbeat tells it that nothing will fill it: 165 ms of
silence on a busy machine, measured, longer than the gate's deadline. And in a reader of depth 1 a
stranger's command displaces the one of who holds the lease before the gate has seen it.
"""

EVENT = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=50, reliability=ReliabilityPolicy.RELIABLE
)
"""What nobody should miss while listening: rewards, model usage, gate state, scene."""

LATCHED = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""Plan, robot description: late joiners get the last one."""

SUBGOAL = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
    liveliness=LivelinessPolicy.AUTOMATIC,
    liveliness_lease_duration=Duration(seconds=PLANNER_LEASE_S),
)
"""The sub-goal under way, latched; it also carries the planner's sign of life.

Subscribers that do not care for the sign of life use LATCHED.
"""

"""What to tell a person whose robot is stopped: who stopped it, why, and how to go on.

Planner, controller and command line say it in the same words.
"""

from __future__ import annotations

from fmrl_robot.errors import ErrorCode

REMEDY = "re-arm with 'fmrl rearm' (service gate/rearm) when it is safe"


def stop_words(code: int, reason: str, holder: str = "") -> str:
    """Say why a robot is stopped and what helps.

    Args:
        code: of the stop, an ErrorCode, as the gate's state carries it.
        reason: the gate's own words.
        holder: who held the lease; empty where nobody did, or where it does not matter.
    """
    if code == ErrorCode.STOP_REQUESTED:
        who = "somebody stopped the robot"
    else:
        who = "the gate stopped the robot" + (f", which {holder} commanded" if holder else "")
    return f"{who} ({code}: {reason or 'no reason given'}); {REMEDY}"

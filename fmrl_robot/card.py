"""The card that every method carries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class MethodCard:
    """What a method is, what it needs, and where it departs from its paper."""

    name: str
    reference: str
    """Authors, title, venue, year."""
    role: str
    """planner, reward, policy."""
    robots: tuple[str, ...]
    """Kinds of robot (RobotSpec.kind) that it can plan for."""
    protocols: tuple[str, ...]
    """Protocols of fmrl_robot.protocols that it offers."""
    needs: tuple[str, ...]
    """Capabilities that its model must have."""
    differs: tuple[str, ...]
    """What is not as in the paper, one sentence each."""
    ablation: str
    """The experiment that shows its effect."""
    trigger: str = "on_failure"
    """When it is asked again, as fmrl_robot/runtime/triggers.py names it, where nobody says
    otherwise."""
    feedback: tuple[str, ...] = ()
    """Channels of fmrl_robot/runtime/feedback.py that are on where nobody says otherwise."""

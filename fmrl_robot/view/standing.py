"""How the robot stands, in a word, a colour and a sentence: what the head of the page says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fmrl_robot.view.run_log import RunLog, Task

Tone = Literal["idle", "ready", "busy", "caution", "stop"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What a glance at the page has to tell."""

    word: str
    tone: Tone
    why: str = ""
    todo: str = ""
    """What a person can do about it."""

    @property
    def can_rearm(self) -> bool:
        """Whether the gate waits for somebody to re-arm it."""
        return self.tone == "stop"


def standing(log: RunLog) -> Standing:
    """Read it off the gate first, for a stopped robot is neither ready nor at work."""
    if log.gate_state == "stopped":
        return Standing(
            word="STOPPED",
            tone="stop",
            why=log.gate_reason or "the gate gave no reason",
            todo="When nobody is near it, press Re-arm.",
        )
    if log.gate_state == "re-arming":
        return Standing(
            word="RE-ARMING",
            tone="caution",
            why=log.gate_reason,
            todo="The stop ends after a second of commands on time.",
        )
    if not log.moves:
        return Standing(word="WAITING", tone="idle", why="nothing heard from the robot yet")
    if log.gate_state == "disarmed":
        return Standing(word="NOT ARMED", tone="idle", why="the controller has not commanded yet")
    task = log.task
    if task is not None and task.state == "running":
        return Standing(word="RUNNING", tone="busy", why=log.notice or _doing(log, task))
    return Standing(word="READY", tone="ready", why=log.notice or _last(task))


def caption(log: RunLog) -> tuple[str, str]:
    """Two lines under a picture: the task, and how it goes."""
    told, task = standing(log), log.task
    return task.instruction if task else "", f"{told.word.lower()}: {told.why}"


def _doing(log: RunLog, task: Task) -> str:
    step = task.steps[-1] if task.steps else None
    if step is not None and step.state == "running":
        return step.subgoal.text or step.subgoal.skill
    return log.phase or "planning"


def _last(task: Task | None) -> str:
    if task is None:
        return "Type what the robot should do and press Enter."
    return f"last task {task.state}" + (f" ({task.reason})" if task.reason else "")

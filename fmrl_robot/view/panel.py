"""The texts of the live page as HTML: how the robot stands, the plan, the verdict, the history."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping

from fmrl_robot.types import Success
from fmrl_robot.view.run_log import Row, RunLog, State, Task, course
from fmrl_robot.view.standing import Standing, Tone
from fmrl_robot.view.words import describe, goal_of, understood

MARKS: dict[State, tuple[str, str]] = {
    "done": ("#3fb950", "✓"),
    "running": ("#58a6ff", "▶"),
    "failed": ("#f85149", "✗"),
    "refused": ("#f85149", "⊘"),
    "cancelled": ("#d29922", "-"),
    "waiting": ("#7d8899", "·"),
}
_TONES: dict[Tone, tuple[str, str]] = {
    "stop": ("#ffffff", "#c8261c"),
    "caution": ("#1b1300", "#e3a008"),
    "busy": ("#dbeafe", "#1d3a66"),
    "ready": ("#d7f5dd", "#17442a"),
    "idle": ("#c8d0dc", "#2b3442"),
}
"""Ink and ground."""
_VERDICTS = {
    Success.YES: ("#3fb950", "reached"),
    Success.NO: ("#f85149", "not reached"),
    Success.UNKNOWN: ("#7d8899", "cannot tell"),
}
_HISTORY = 12
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='7' fill='%23{ground}'/%3E%3Cpath d='M9 25V13l7-6 7 6' "
    "fill='none' stroke='white' stroke-width='3.4' stroke-linecap='round' stroke-linejoin='round'"
    "/%3E%3Ccircle cx='16' cy='7' r='3' fill='white'/%3E%3Ccircle cx='23' cy='19' r='3.4' "
    "fill='white'/%3E%3C/svg%3E"
)


def tab_html(robot: str, told: Standing) -> str:
    """Name and icon of the browser's tab, which has to say from afar that a robot is stopped.

    The page's library offers no title. HTML put into its panel runs no scripts, but an image that
    cannot be loaded runs its handler.
    """
    stopped = told.tone == "stop"
    title = f"{'■ STOPPED · ' if stopped else ''}{robot} · fmrl_robot"
    icon = _ICON.format(ground="c8261c" if stopped else "1f6feb")
    named = f"document.title={json.dumps(title, ensure_ascii=False)};"
    script = f"{named}document.querySelector('link[rel=icon]').href=this.dataset.icon;"
    return (
        f'<img src="data:," alt="" style="display:none" data-icon="{html.escape(icon)}" '
        f'onerror="{html.escape(script)}">'
    )


def standing_html(told: Standing, gate: Mapping[str, int]) -> str:
    """The head of the page."""
    ink, ground = _TONES[told.tone]
    counters = " · ".join(f"{gate[k]:,} {k}" for k in ("accepted", "refused", "stops") if k in gate)
    lines = "".join(
        f'<div style="font-size:13px;padding-top:2px">{html.escape(line)}</div>'
        for line in (told.why, told.todo)
        if line
    )
    return (
        f'<div style="margin:0 10px 8px;padding:9px 12px;border-radius:6px;color:{ink};'
        f'background:{ground};min-height:84px"><div style="font-size:16px;font-weight:700;'
        f'letter-spacing:.03em">{html.escape(told.word)}</div>{lines}</div>'
        f'<div style="padding:0 12px 8px;font-size:11px;opacity:.65">{counters or "&nbsp;"}</div>'
    )


def plan_html(log: RunLog) -> str:
    """The task under way or the newest: how it was understood, and its whole course."""
    task = log.task
    if task is None:
        return _box("Task", '<div style="opacity:.6">No task yet.</div>')
    goal = understood(task.plans) or ", ".join(goal_of(task.plans))
    meant = (
        f'<div style="padding:2px 0 4px">Understood as: <b>{html.escape(goal)}</b></div>'
        if goal
        else ""
    )
    rows = "".join(map(_row_html, course(task)))
    if not rows and task.state == "running":
        rows = f'<div style="opacity:.6">{html.escape(log.phase or "planning")} …</div>'
    why = html.escape(task.reason)
    reason = f'<div style="color:#f85149;padding-top:3px">{why}</div>' if why else ""
    return _box("Task", f"{_title(task)}{meant}{rows}{reason}")


def _title(task: Task) -> str:
    color, _ = MARKS[task.state]
    return (
        f'<div style="font-weight:600;padding:2px 0">{html.escape(_said(task))} '
        f'<span style="color:{color};white-space:nowrap">{task.state}{_lasting(task)}</span></div>'
    )


def _said(task: Task) -> str:
    return f"“{task.instruction}”" if task.instruction else "an instruction"


def _lasting(task: Task) -> str:
    return "" if task.end_s is None else f" after {task.end_s - task.start_s:.1f} s"


def _row_html(row: Row) -> str:
    color, _ = MARKS[row.state]
    if row.subgoal is None:
        return f'<div style="opacity:.6;padding:3px 0 3px 20px">{html.escape(row.text)}</div>'
    ended = row.step.end_s if row.step else None
    seconds = f"{ended - row.step.start_s:.1f} s" if row.step and ended is not None else ""
    return (
        f'<div style="display:flex;gap:9px;padding:3px 0;color:{color}">{_mark(row.state)}'
        f'<span style="flex:1">{html.escape(row.text)}</span>'
        f'<span style="opacity:.7">{seconds}</span></div>'
    )


def _mark(state: State) -> str:
    color, mark = MARKS[state]
    return f'<b style="color:{color};width:14px;flex-shrink:0">{mark}</b>'


def verdict_html(log: RunLog) -> str:
    """What the reward model says of the sub-goal that it scored last."""
    task = log.task
    scores = log.scores(task) if task else []
    if task is None or not scores:
        words = "no score: late frames, or a goal that the model was not taught"
        failed = log.unscored and task is not None and task.steps
        said = f'<div style="opacity:.6">{words if failed else ""}</div>'
        return _box("Reward", said, below=False)
    point = scores[-1]
    color, word = _VERDICTS[point.success]
    goal = next((s.subgoal for s in reversed(task.steps) if s.subgoal.id == point.subgoal_id), None)
    text = (goal.text or describe(goal)) if goal else "the sub-goal"
    return _box(
        "Reward",
        f'<div><b style="color:{color}">{word}</b>, says the model of “{html.escape(text)}” '
        f'<span style="opacity:.7">({point.value:.3f})</span></div>',
        below=False,
    )


def history_html(log: RunLog) -> str:
    """The tasks before, the newest first, each with its end."""
    current = log.task
    earlier = [t for t in reversed(log.tasks) if t is not current]
    if not earlier:
        return ""
    rows: list[str] = []
    for task in earlier[:_HISTORY]:
        color, _ = MARKS[task.state]
        why = f' <span style="opacity:.6">{html.escape(task.reason)}</span>' if task.reason else ""
        rows.append(
            f'<div style="display:flex;gap:9px;padding:2px 0">{_mark(task.state)}'
            f'<span>{html.escape(_said(task))} <span style="color:{color}">{task.state}'
            f"{_lasting(task)}</span>{why}</span></div>"
        )
    more = len(earlier) - _HISTORY
    if more > 0:
        rows.append(f'<div style="opacity:.6">and {more} before</div>')
    return _box("Tasks before", "".join(rows))


def nodes_html(nodes: Mapping[str, tuple[str, str]]) -> str:
    """Health; ``nodes`` maps a name to (ok|warn|error|stale, message)."""
    colors = {"ok": "#3fb950", "warn": "#d29922", "error": "#f85149", "stale": "#7d8899"}
    rows = "".join(
        f'<div style="padding:2px 0"><span style="color:{colors[level]}">●</span> '
        f'{html.escape(name)} <span style="opacity:.6">{html.escape(message)}</span></div>'
        for name, (level, message) in sorted(nodes.items())
    )
    return _box("Nodes", rows) if rows else ""


def _box(title: str, inside: str, *, below: bool = True) -> str:
    return (
        f'<div style="padding:6px 12px {6 if below else 0}px;font-size:13px">'
        f'<div style="opacity:.6;padding-bottom:2px">{title}</div>{inside}</div>'
    )

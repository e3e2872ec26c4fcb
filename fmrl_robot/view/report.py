"""Turns a run into one self-contained web page: no script, no font, no picture from elsewhere."""

from __future__ import annotations

import base64
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fmrl_robot.types import ContactPattern, Success
from fmrl_robot.view.run_log import RewardPoint, Row, RunLog, Step, Task, course
from fmrl_robot.view.timeline import LEFT, RIGHT, WIDTH, Axis, axis_of, lasting
from fmrl_robot.view.words import describe, goal_of, label, understood

_SECONDS_WIDTH = 60.0
_LABEL = 23
"""Characters that fit into the margin."""
_POINTS = 600
"""A few hundred points draw the same line as ten thousand."""


def render(log: RunLog, files: tuple[str, ...] = ()) -> str:
    """The report as HTML.

    Args:
        log: what happened.
        files: names of the files beside the report, to link to.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("fmrl_robot.view"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    axis = _axis(log)
    return environment.get_template("report.html.j2").render(
        log=log,
        name=name_of(log),
        ends=Counter(task.state for task in log.tasks),
        tasks=[_task(task, axis) for task in log.tasks],
        axis=axis,
        bars=_bars(log, axis),
        curve=_curve(log, axis),
        gate_marks=[(axis.x(e.time_s), e.text) for e in log.events if e.kind in ("gate", "error")],
        events=[(f"{e.time_s - axis.start_s:6.1f}", e.kind, e.text) for e in log.events],
        models=_models(log),
        gate=log.gate,
        delay_ms=_delays(log),
        picture=_picture(log.final_frame),
        pictures=[(f"{t - axis.start_s:.1f} s", _picture(f)) for t, f in _evenly(log.frames, 8)],
        files=files,
        width=WIDTH,
        left=LEFT,
        right=RIGHT,
        seconds=lasting(axis.end_s - axis.start_s),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def name_of(log: RunLog) -> str:
    """What a run is called: its robot and when it began, or the name of its folder."""
    robot = log.robot.capitalize()
    try:
        # A wall clock of whoever looks: the folder's name bears no zone.
        began = datetime.strptime(log.title, "%Y%m%d-%H%M%S")
    except ValueError:
        return f"{robot} · {log.title}" if log.title else robot
    return f"{robot} · {began.day} {began:%B %Y, %H:%M}"


def _axis(log: RunLog) -> Axis:
    times = [e.time_s for e in log.events] + [r.time_s for r in log.rewards]
    times += [t for task in log.tasks for t in (task.start_s, task.end_s) if t is not None]
    last = max(times, default=1.0)
    return axis_of(times, [(t.start_s, last if t.end_s is None else t.end_s) for t in log.tasks])


def _bars(log: RunLog, axis: Axis) -> list[dict[str, Any]]:
    steps = [step for task in log.tasks for step in task.steps]
    return [_bar(step, row, axis) for row, step in enumerate(steps)]


def _bar(step: Step, row: int, axis: Axis) -> dict[str, Any]:
    end_s = axis.end_s if step.end_s is None else step.end_s
    x = axis.x(step.start_s)
    width = max(axis.x(end_s) - x, 3.0)
    # The seconds stand in the bar, or beside one that is too short for them.
    inside, beyond = width >= _SECONDS_WIDTH, x + width + _SECONDS_WIDTH > WIDTH
    name = label(step.subgoal)
    return {
        "x": x,
        "width": width,
        "y": 34 + 30 * row,
        "state": step.state,
        "label": name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}…",
        "title": describe(step.subgoal),
        "seconds": f"{end_s - step.start_s:.1f} s",
        "seconds_x": x + 8 if inside else x - 8 if beyond else x + width + 8,
        "anchor": "end" if beyond and not inside else "start",
    }


def _curve(log: RunLog, axis: Axis) -> dict[str, Any] | None:
    if not log.rewards:
        return None
    values = [r.value for r in log.rewards]
    low, high = min(values), max(values)
    span = max(high - low, 1e-6)
    thin = max(1, len(values) // _POINTS)

    def at(r: RewardPoint) -> tuple[float, float]:
        return axis.x(r.time_s), round(130 - 115 * (r.value - low) / span, 1)

    # Between two tasks nothing was scored, so no line goes there.
    each = [log.scores(task)[::thin] for task in log.tasks]
    told = [r for points in each for r in points if r.success == Success.YES]
    return {
        "lines": [" ".join(f"{x},{y}" for x, y in map(at, points)) for points in each if points],
        "areas": [
            f"{at(points[0])[0]},138 {' '.join(f'{x},{y}' for x, y in map(at, points))} "
            f"{at(points[-1])[0]},138"
            for points in each
            if points
        ],
        "low": f"{low:.2f}",
        "high": f"{high:.2f}",
        "yes": [at(r) for r in told[:: max(1, len(told) // 150)]],
        "count": len(values),
    }


def _task(task: Task, axis: Axis) -> dict[str, Any]:
    end_s = axis.end_s if task.end_s is None else task.end_s
    x = axis.x(task.start_s)
    return {
        "task": task,
        "said": f"“{task.instruction}”" if task.instruction else "an instruction",
        "seconds": None if task.end_s is None else f"{task.end_s - task.start_s:.1f} s",
        "x": x,
        "width": round(max(axis.x(end_s) - x, 2.0), 1),
        "understood": understood(task.plans),
        "goal": goal_of(task.plans),
        "rows": [_row(row) for row in course(task)],
        "problems": [f"{p.code}: {p.message}" for shown in task.plans for p in shown.problems],
    }


def _row(row: Row) -> dict[str, Any]:
    step, subgoal = row.step, row.subgoal
    ended = step.end_s if step is not None else None
    seconds = "" if step is None or ended is None else f"{ended - step.start_s:.1f} s"
    return {
        "remark": subgoal is None,
        "text": row.text,
        "caption": subgoal.text if subgoal and not row.text.startswith(subgoal.text) else "",
        "state": row.state,
        "seconds": seconds,
        "pattern": _pattern(subgoal.pattern) if subgoal else [],
    }


def _pattern(pattern: ContactPattern | None) -> list[tuple[str, list[bool]]]:
    if pattern is None:
        return []
    return [
        (leg.value, [bool(c) for c in row])
        for leg, row in zip(pattern.legs, pattern.contacts, strict=True)
    ]


def _models(log: RunLog) -> list[dict[str, Any]]:
    grouped: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
    for node, usage in log.usages:
        grouped[node, usage.role, usage.model].append(usage)
    return [
        {
            "node": node,
            "role": role,
            "model": model,
            "calls": sum(u.calls for u in usages),
            "tokens": sum(u.prompt_tokens + u.completion_tokens for u in usages),
            "p50_ms": f"{1e3 * float(np.median([u.latency_s for u in usages])):.0f}",
        }
        for (node, role, model), usages in grouped.items()
    ]


def _delays(log: RunLog) -> tuple[str, str] | None:
    if not log.commands_delay_s:
        return None
    p50, p99 = np.percentile(log.commands_delay_s, [50, 99]) * 1e3
    return f"{p50:.1f}", f"{p99:.1f}"


def _evenly(items: list[Any], count: int) -> list[Any]:
    if len(items) <= count:
        return items
    return [items[i] for i in np.linspace(0, len(items) - 1, count).astype(int)]


def _picture(image: npt.NDArray[np.uint8] | None) -> str:
    """A data URI; empty for none."""
    if image is None:
        return ""
    done, jpeg = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode() if done else ""

"""Turns a run into one self-contained web page: no script, no font, no picture from elsewhere."""

from __future__ import annotations

import base64
import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fmrl_robot.types import ContactPattern, Success
from fmrl_robot.view.run_log import RunLog, Step, Task, describe

_WIDTH, _LEFT, _RIGHT = 1080.0, 150.0, 20.0
_SECONDS_WIDTH = 60.0


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps the run's seconds to the drawing's pixels."""

    start_s: float
    end_s: float

    def x(self, time_s: float) -> float:
        """Pixels from the left of the drawing."""
        span = max(self.end_s - self.start_s, 1e-6)
        share = min(max((time_s - self.start_s) / span, 0.0), 1.0)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def ticks(self) -> list[tuple[float, str]]:
        """Round times with their labels, a dozen at most however long the run."""
        span = self.end_s - self.start_s
        steps = (1, 2, 5, 10, 20, 30, 60, 120, 300)
        step = next((s for s in steps if span / s <= 10), 600 * math.ceil(span / 6000))
        return [(self.x(self.start_s + t), f"{t} s") for t in range(0, int(span) + 1, step)]


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
        task=log.task,
        tasks=[_task(task) for task in log.tasks],
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
        width=_WIDTH,
        left=_LEFT,
        right=_RIGHT,
        seconds=axis.end_s - axis.start_s,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _axis(log: RunLog) -> Axis:
    times = [e.time_s for e in log.events] + [r.time_s for r in log.rewards]
    times += [t for task in log.tasks for t in (task.start_s, task.end_s) if t is not None]
    return Axis(min(times, default=0.0), max(times, default=1.0))


def _bars(log: RunLog, axis: Axis) -> list[dict[str, Any]]:
    steps = [step for task in log.tasks for step in task.steps]
    return [_bar(step, row, axis) for row, step in enumerate(steps)]


def _bar(step: Step, row: int, axis: Axis) -> dict[str, Any]:
    end_s = step.end_s or axis.end_s
    x = axis.x(step.start_s)
    width = max(axis.x(end_s) - x, 3.0)
    # The seconds stand in the bar, or beside one that is too short for them.
    inside, beyond = width >= _SECONDS_WIDTH, x + width + _SECONDS_WIDTH > _WIDTH
    return {
        "x": x,
        "width": width,
        "y": 14 + 30 * row,
        "state": step.state,
        "label": step.subgoal.skill or ("gait" if step.subgoal.pattern else "step"),
        "target": step.subgoal.target,
        "title": describe(step.subgoal),
        "seconds": f"{end_s - step.start_s:.1f} s",
        "seconds_x": x + 8 if inside else x - 8 if beyond else x + width + 8,
        "anchor": "end" if beyond and not inside else "start",
    }


def _curve(log: RunLog, axis: Axis) -> dict[str, Any] | None:
    if not log.rewards:
        return None
    values = np.array([r.value for r in log.rewards])
    low, high = float(values.min()), float(values.max())
    span = max(high - low, 1e-6)
    # A few hundred points draw the same line as ten thousand.
    kept = [log.rewards[i] for i in np.unique(np.linspace(0, len(values) - 1, 600).astype(int))]
    points = [(axis.x(r.time_s), round(130 - 115 * (r.value - low) / span, 1)) for r in kept]
    line = " ".join(f"{x},{y}" for x, y in points)
    return {
        "line": line,
        "area": f"{points[0][0]},138 {line} {points[-1][0]},138",
        "low": f"{low:.2f}",
        "high": f"{high:.2f}",
        "yes": [p for p, r in zip(points, kept, strict=True) if r.success == Success.YES][
            :: max(1, len(points) // 150)
        ],
        "count": len(log.rewards),
    }


def _task(task: Task) -> dict[str, Any]:
    plan = task.plans[-1] if task.plans else None
    states = {step.subgoal.id: step.state for step in task.steps}
    return {
        "task": task,
        "seconds": None if task.end_s is None else task.end_s - task.start_s,
        "goal": [str(p) for p in plan.goal] if plan else [],
        "plan": [
            {
                "text": describe(s),
                "caption": s.text,
                "state": states.get(s.id, "waiting"),
                "pattern": _pattern(s.pattern),
            }
            for s in (plan.subgoals if plan else ())
        ],
        "problems": [f"{p.code}: {p.message}" for shown in task.plans for p in shown.problems],
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

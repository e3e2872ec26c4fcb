"""The reward of one task as a small drawing: scores, sub-goal marks, and nothing before the data.

It is plain SVG, so that the page draws an empty plot empty, and an axis that is the reward's own.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from fmrl_robot.types import Success
from fmrl_robot.view.run_log import RewardPoint, Task

_WIDTH, _HEIGHT = 400.0, 170.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 18.0, 18.0, 24.0
_LEAST_SPAN_S, _LEAST_SPAN = 10.0, 0.1
_POINTS, _DOTS = 300, 60
_INK, _LINE, _GRID = "#8b98ab", "#58a6ff", "#2b3442"
_DOT = {Success.YES: "#3fb950", Success.NO: "#f85149"}


def reward_chart(task: Task | None, scores: Sequence[RewardPoint], now_s: float) -> str:
    """Draw it.

    Args:
        task: whose it is; None draws empty axes.
        scores: of that task, in their order.
        now_s: the graph's time, for a task under way.
    """
    start = task.start_s if task else 0.0
    last = now_s if task is None or task.end_s is None else task.end_s
    span = max(last - start, _LEAST_SPAN_S) if task else _LEAST_SPAN_S
    low, high = _range([p.value for p in scores])

    def x(time_s: float) -> float:
        share = min(max((time_s - start) / span, 0.0), 1.0)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(value: float) -> float:
        return round(_TOP + (high - value) / (high - low) * (_HEIGHT - _TOP - _BOTTOM), 1)

    floor = _HEIGHT - _BOTTOM
    parts = [_text(x(start + t), floor + 16, f"{t:g} s", "middle") for t in steps_of(span)]
    for value in (low, (low + high) / 2, high):
        parts.append(_rule(_LEFT, y(value), _WIDTH - _RIGHT, y(value), _GRID))
        parts.append(_text(_LEFT - 6, y(value) + 4, f"{value:.2f}", "end"))
    for number, step in enumerate(task.steps if task else (), start=1):
        at = x(step.start_s)
        parts.append(_rule(at, _TOP, at, floor, _INK, dashed=True))
        parts.append(_text(at + 3, _TOP - 5, str(number), "start"))
    if scores:
        kept = scores[:: max(1, len(scores) // _POINTS)]
        line = " ".join(f"{x(p.time_s)},{y(p.value)}" for p in kept)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{_LINE}" stroke-width="1.8"/>')
        told = [p for p in kept if p.success in _DOT]
        for p in told[:: max(1, len(told) // _DOTS)]:
            color = _DOT[p.success]
            parts.append(f'<circle cx="{x(p.time_s)}" cy="{y(p.value)}" r="2.6" fill="{color}"/>')
    else:
        words = "no scores yet" if task is None or task.end_s is None else "no scores"
        parts.append(_text((_LEFT + _WIDTH) / 2, _HEIGHT / 2, words, "middle"))
    return (
        f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" style="width:100%;display:block" role="img" '
        f'aria-label="reward over time">{"".join(parts)}</svg>'
    )


def steps_of(span_s: float, most: int = 5) -> list[float]:
    """Round times from 0 to a span, in s, that divide it into a few parts."""
    rough = max(span_s, 1e-3) / most
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= rough * (1 - 1e-9))
    return [step * i for i in range(int(span_s / step + 1e-6) + 1)]


def _range(values: Sequence[float]) -> tuple[float, float]:
    """The least and greatest value drawn; 0 to 1, where scores live, before there is one."""
    finite = [v for v in values if math.isfinite(v)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    slack = max(_LEAST_SPAN - (high - low), 0.08 * (high - low)) / 2
    return low - slack, high + slack


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{_INK}" font-size="11">'
        f"{html.escape(words)}</text>"
    )


def _rule(x1: float, y1: float, x2: float, y2: float, color: str, *, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="3 3"' if dashed else ""
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="{color}"{dashes}/>'

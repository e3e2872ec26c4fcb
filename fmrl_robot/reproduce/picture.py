"""A system's picture: each measure's figures by arm with intervals, and curves where there are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fmrl_robot.errors import ConfigError, ErrorCode

WIDTH_IN, ROW_IN, CURVE_IN = 7.5, 0.32, 2.8
CONTROL, ARM = "#999999", "#1f6feb"


def draw(told: Mapping[str, Any], file: Path) -> None:
    """Draw an ``outcome``.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ModuleNotFoundError:
        raise ConfigError(
            'expected matplotlib for the picture, found none; run pip install ".[view]"',
            ErrorCode.ASSET_MISSING,
        ) from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    ablation = told["ablation"]
    shown = [
        m for m in ablation["measures"] if any(m["name"] in e for e in told["estimates"].values())
    ]
    curves = list(dict.fromkeys(n for of in told["curves"].values() for n in of))
    rows, columns = -(-len(shown) // 2), min(2, max(1, len(shown)))
    height = 0.7 + ROW_IN * len(ablation["arms"])
    heights = [height] * rows + [CURVE_IN] * len(curves)
    figure = pyplot.figure(figsize=(WIDTH_IN, sum(heights) + 0.2), layout="constrained")
    grid = figure.add_gridspec(len(heights), columns, height_ratios=heights)
    for place, measure in enumerate(shown):
        _dots(figure.add_subplot(grid[place // columns, place % columns]), told, measure)
    for place, name in enumerate(curves):
        _lines(figure.add_subplot(grid[rows + place, :]), told, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    pyplot.close(figure)


def _dots(axis: Any, told: Mapping[str, Any], measure: Mapping[str, Any]) -> None:
    """One measure: an arm a row, the first on top."""
    arms = told["ablation"]["arms"]
    for row, arm in enumerate(reversed(arms)):
        mine = told["estimates"][arm["name"]].get(measure["name"])
        if mine is None:
            continue
        color = CONTROL if arm["control"] else ARM
        if mine["low"] is not None:
            axis.plot([mine["low"], mine["high"]], [row, row], c=color, lw=3, alpha=0.5)
        axis.plot([mine["value"]], [row], "o", c=color, ms=6)
    axis.set_yticks(range(len(arms)), [arm["name"] for arm in reversed(arms)])
    axis.set_ylim(-0.6, len(arms) - 0.4)
    axis.set_title(measure["words"] + (f", {measure['unit']}" if measure["unit"] else ""), size=9)
    axis.tick_params(labelsize=8)
    axis.grid(alpha=0.3, axis="x")
    axis.margins(x=0.08)
    low, high = axis.get_xlim()
    if not measure["unit"] and low >= -0.1 and high <= 1.1:
        axis.set_xlim(-0.03, 1.03)  # shares, so that panels can be compared


def _lines(axis: Any, told: Mapping[str, Any], name: str) -> None:
    """One curve: an arm a line, the interval as a band."""
    for arm in told["ablation"]["arms"]:
        curve = told["curves"][arm["name"]].get(name)
        if curve is None:
            continue
        (line,) = axis.plot(curve["x"], curve["value"], label=arm["name"])
        axis.fill_between(
            curve["x"], curve["low"], curve["high"], color=line.get_color(), alpha=0.2
        )
    x, y = told["ablation"]["curve"]
    axis.set_title(name, size=9)
    axis.set_xlabel(x, size=8)
    axis.set_ylabel(y, size=8)
    axis.tick_params(labelsize=8)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)

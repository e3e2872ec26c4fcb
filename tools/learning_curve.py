"""Plot how a training run went over wall time: ``python tools/learning_curve.py RUN out.png``.

Contact match by kind of gait, as the learner saw it: with exploration, randomisation and pushes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

mpl.use("Agg")
import matplotlib.pyplot as plt

SMOOTH = 40
"""Iterations that are averaged."""


def main(run: Path, out: Path) -> None:
    """Read the run's events and draw."""
    events = EventAccumulator(str(run), size_guidance={"scalars": 0})
    events.Reload()
    figure, axes = plt.subplots(figsize=(8.0, 4.2), dpi=120)
    for tag in sorted(t for t in events.Tags()["scalars"] if t.startswith("match/")):
        rows = events.Scalars(tag)
        minutes = np.array([row.wall_time - rows[0].wall_time for row in rows]) / 60
        values = np.array([row.value for row in rows])
        window = np.ones(min(SMOOTH, len(values)))
        smooth = np.convolve(values, window / len(window), mode="valid")
        axes.plot(minutes[len(window) - 1 :], smooth, label=tag.removeprefix("match/"), lw=1.6)
    axes.axhline(0.85, color="0.6", lw=0.8, ls="--")
    axes.set_xlabel("minutes")
    axes.set_ylabel("feet where the pattern wants them")
    axes.set_ylim(0.4, 1.0)
    axes.grid(alpha=0.25)
    axes.legend(ncol=3, fontsize=8, frameon=False, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

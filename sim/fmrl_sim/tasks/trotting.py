"""A contact-pattern policy in the place of a velocity policy: it trots at the same commands.

It learned on even ground. On rough ground it is what a velocity policy is compared with, and what
one may begin by imitating.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fmrl_robot.assets import policies_dir
from fmrl_robot.control import locomotion as loco
from fmrl_robot.control import velocity as walking
from fmrl_robot.control.contact_pattern import STAND, trot
from fmrl_robot.control.quadruped import VELOCITY_MAX
from fmrl_robot.control.runner import open_policy
from fmrl_robot.types import FloatArray

_START = sum(size for _, size, _ in walking.OBSERVATIONS[:2])
_COMMAND = slice(_START, _START + 3)
_SCALE = {name: scale for name, _, scale in loco.OBSERVATIONS}["velocity_command"]


def flat_ground_policy(robot: str) -> Path:
    """Where a robot's contact-pattern policy lies, if it has one."""
    return policies_dir() / f"{robot}-saytap" / "policy.onnx"


class Trotter:
    """Asks the policy of many robots, one by one on one thread."""

    def __init__(self, file: Path) -> None:
        """Open the policy file; raises ConfigError where there is none."""
        self._session = open_policy(file)
        self._input = self._session.get_inputs()[0].name
        rows = trot()
        self._windows = np.array([loco.window_at(rows, c) for c in range(rows.shape[1])])
        self._stand = loco.window_at(STAND, 0)
        most = VELOCITY_MAX
        self._most = _SCALE * np.array([most.vx, most.vy, most.wz])

    def __call__(self, observations: FloatArray, columns: FloatArray) -> FloatArray:
        """From a velocity policy's observations (n, 45) to actions (n, 12).

        Args:
            observations: scaled; commands beyond what the policy knows are cut off.
            columns: of the trot at which each robot is, (n,).
        """
        seen = observations.copy()
        seen[:, _COMMAND] = np.clip(seen[:, _COMMAND], -self._most, self._most)
        windows = self._windows[columns.astype(int) % len(self._windows)]
        windows[~observations[:, _COMMAND].any(axis=1)] = self._stand
        rows = np.hstack([seen, windows]).astype(np.float32)[:, None]
        answers = [np.asarray(self._session.run(None, {self._input: row})[0]) for row in rows]
        return np.concatenate(answers).astype(np.float64)

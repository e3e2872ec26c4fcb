"""The arm's controller with written primitives where PSL has learned local policies.

The primitives are those that imitation starts from: they servo to the pose that they were told,
close, lift, let go. Transits, gate, conditions and retries are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fmrl_robot.control import local_skill as ls
from fmrl_robot.control.arm import ArmController
from fmrl_robot.control.arm_skill import Act, WrittenPolicy
from fmrl_robot.control.regions import SKILLS
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray


class ScriptedHands(ArmController):
    """An ArmController whose hand was never trained."""

    def __init__(self, spec: RobotSpec, *, plan_inline: bool = False) -> None:
        from fmrl_sim.tasks.panda_demos import DEMONSTRATORS

        super().__init__(spec, plan_inline=plan_inline)
        written = {
            name: WrittenPolicy(ls.SKILLS[name], _act(DEMONSTRATORS[name])) for name in SKILLS
        }
        self._policies = {**self._policies, **written}


def _act(demonstrator: Callable[[Any], Any]) -> Act:
    """The demonstrator of tensors as one of arrays."""

    def act(terms: dict[str, FloatArray]) -> FloatArray:
        import torch

        told = {
            name: torch.as_tensor(values, dtype=torch.float32) for name, values in terms.items()
        }
        return np.clip(demonstrator(told).numpy().astype(np.float64), -1.0, 1.0)

    return act

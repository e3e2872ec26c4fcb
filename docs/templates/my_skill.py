"""Template of a skill of your own: copy it into your package and declare two entry points.

Here: ``nudge`` pushes a cube straight away from the arm's base by some centimetres. NUDGE is what
planner and plan check know of it, ARM is how the arm does it. A small written controller acts, so
that the template runs as it stands; with a trained policy leave ``act`` out and name its folder.
"""

from __future__ import annotations

import numpy as np

from fmrl_robot.control.arm_skill import ArmSkill
from fmrl_robot.control.local_skill import LocalSkill
from fmrl_robot.control.regions import HOME_YAW, Region, find
from fmrl_robot.motion.kinematics import tool_down
from fmrl_robot.skills import Need, Parameter, Skill
from fmrl_robot.types import FloatArray, Scene, SubGoal

BEHIND_M, HOVER_M, HEIGHT_M = 0.055, 0.10, 0.025
"""Where the fingers come down before the cube, whence, and at which height they push."""
CUBE_HALF_M, FINGER_HALF_M = 0.02, 0.012


# --- what planner and plan check know -------------------------------------------------------------


NUDGE = Skill(
    targets=("cube",),
    needs=(
        Need("hand_empty()", "an empty hand; place {Held} first"),
        Need("clear(Target)", "nothing on it; take that off first"),
        Need("on(Target, table)", "it on the table; place it there"),
    ),
    adds=("nudged(Target)",),
    ends="nudged(Target)",
    words="push a cube on the table straight away from the arm",
    parameters=(Parameter(name="distance_m", lower=0.02, upper=0.08, default=0.05),),
    brings={"nudged": "the {0} was pushed away"},
)
"""What the entry point of the group ``fmrl.skills`` names."""


# --- how the arm does it --------------------------------------------------------------------------


def region(subgoal: SubGoal, scene: Scene) -> Region:
    """Begin above the near side of the cube; aim at where the fingers end."""
    at = find(scene, subgoal.target).pose.position
    away = np.array([*at[:2], 0.0]) / np.linalg.norm(at[:2])
    travel = NUDGE.values(subgoal)["distance_m"] - CUBE_HALF_M - FINGER_HALF_M
    end = np.array([at[0], at[1], HEIGHT_M]) + travel * away
    start = np.array([at[0], at[1], HEIGHT_M + HOVER_M]) - BEHIND_M * away
    heading = HOME_YAW + float(np.arctan2(away[1], away[0]))
    return Region(targets=np.array([[*end, heading]]), starts=(tool_down(start, heading),))


def act(terms: dict[str, FloatArray]) -> FloatArray:
    """Go down first, then along; actions are shares of ACTION_SCALE, shape (n, 5)."""
    offset = terms["target_offset"]
    down = offset[:, 2:] < -0.015
    action = np.zeros((len(offset), 5))
    action[:, :2] = np.where(down, 0.0, np.clip(offset[:, :2] * 10.0, -0.5, 0.5))
    action[:, 2:3] = np.clip(offset[:, 2:] * 10.0, -0.5, 0.5)
    action[:, 3:4] = np.clip(terms["target_yaw_error"] * 2.0, -0.5, 0.5)
    return action


def proof(subgoal: SubGoal, before: Scene, now: Scene) -> bool:
    """Whether the camera saw the cube move at least half as far as was asked."""
    moved = find(now, subgoal.target).pose.position - find(before, subgoal.target).pose.position
    return bool(np.linalg.norm(moved[:2]) >= NUDGE.values(subgoal)["distance_m"] / 2)


ARM = ArmSkill(
    local=LocalSkill(name="nudge", steps=60, starts_closed=True, grips=False),
    region=region,
    act=act,
    proof=proof,
)
"""What the entry point of the group ``fmrl.arm_skills`` names."""

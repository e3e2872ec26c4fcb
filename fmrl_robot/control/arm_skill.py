"""How an arm carries out one skill: where, with what local policy, and what proves it was done.

The five skills of this project need none of these: their regions and proofs are in regions.py and
arm.py. This is the form in which another package adds a sixth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fmrl_robot.control.local_policy import LocalPolicy
from fmrl_robot.control.local_skill import LocalSkill
from fmrl_robot.control.regions import Region
from fmrl_robot.errors import ConfigError
from fmrl_robot.registry import ARM_SKILLS
from fmrl_robot.robots import RobotSpec
from fmrl_robot.types import FloatArray, Scene, SubGoal

Act = Callable[[dict[str, FloatArray]], FloatArray]
"""Observation terms by name (n, size each, see local_skill.py) to actions, shape (n, 5)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmSkill:
    """The arm's side of a skill; its planned transit, timeouts and gate are the controller's."""

    local: LocalSkill
    """Its fixed facts; the name is that of the skill."""
    region: Callable[[SubGoal, Scene], Region]
    """Where the local policy begins and what it aims at; may raise FmrlError(TARGET_NOT_SEEN)."""
    act: Act | None = None
    """A written controller; None: the policy ``<robot>-<skill>/policy.onnx`` in ``policies``."""
    policies: Path | None = None
    """Folder of the policy; None: the folder that the controller was given."""
    proof: Callable[[SubGoal, Scene, Scene], bool] | None = None
    """Whether it was done, from the scenes before and after; None: the scene shows the fact."""
    robots: tuple[str, ...] = ()
    """Names of the robots it is for; empty: every arm."""


class WrittenPolicy:
    """A function in the place of a LocalPolicy."""

    def __init__(self, skill: LocalSkill, act: Act) -> None:
        self.skill = skill
        self._act = act

    def __call__(self, terms: dict[str, FloatArray]) -> FloatArray:
        """Return actions (n, 5) for observation terms by name."""
        return self._act(terms)


def arm_skills(spec: RobotSpec) -> Mapping[str, ArmSkill]:
    """Skills of other packages that are for this arm.

    Raises:
        ConfigError: what was declared is no ArmSkill, or its name is another's.
    """
    found: dict[str, ArmSkill] = {}
    for name in ARM_SKILLS.names():
        piece = ARM_SKILLS.load(name)
        if not isinstance(piece, ArmSkill) or piece.local.name != name:
            raise ConfigError(
                f"expected an ArmSkill whose local skill is called {name!r} in {ARM_SKILLS.group}, "
                f"got {piece!r}; see docs/your_skill.md"
            )
        if not piece.robots or spec.name in piece.robots:
            found[name] = piece
    return found


def policy_of(piece: ArmSkill, spec: RobotSpec, folder: Path) -> LocalPolicy | WrittenPolicy:
    """Load what acts for a skill.

    Raises:
        ConfigError: POLICY_MISSING or POLICY_REFUSED, naming the field.
    """
    if piece.act is not None:
        return WrittenPolicy(piece.local, piece.act)
    return LocalPolicy(spec, piece.local, piece.policies or folder)


def proved(piece: ArmSkill | None, subgoal: SubGoal, before: Scene, now: Scene) -> bool:
    """Whether a sub-goal was reached: by the skill's own proof, else by the fact that ends it."""
    if piece is not None and piece.proof is not None:
        return piece.proof(subgoal, before, now)
    return subgoal.termination is not None and now.holds(subgoal.termination)

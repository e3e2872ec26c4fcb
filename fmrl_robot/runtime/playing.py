"""The executive's ports over a world of skills, symbolic or simulated, in which steps are played.

The executive is the same as in the graph; only what is behind its ports differs. Time is the
world's own: a step takes the seconds that the world says it took.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from fmrl_robot.errors import ErrorCode
from fmrl_robot.planning import SkillFacts
from fmrl_robot.robots import RobotSpec
from fmrl_robot.runtime.ports import Phase, Ports
from fmrl_robot.types import (
    BoolArray,
    FloatBatch,
    Image,
    Outcome,
    Plan,
    Pose,
    Predicate,
    Scene,
    SceneObject,
    SubGoal,
)


class View(Protocol):
    """What is seen of a world."""

    @property
    def caption(self) -> str:
        """Facts in words."""
        ...

    @property
    def facts(self) -> tuple[Predicate, ...]:
        """Those that hold."""
        ...


class Played(Protocol):
    """What a choice in each world led to; a world that ended has begun anew."""

    @property
    def views(self) -> Sequence[View]:
        """What is seen now, one a world."""
        ...

    @property
    def terminated(self) -> BoolArray:
        """Shape (worlds,)."""
        ...

    @property
    def truncated(self) -> BoolArray:
        """Shape (worlds,)."""
        ...

    @property
    def seconds(self) -> FloatBatch:
        """How long each choice took, shape (worlds,)."""
        ...

    @property
    def done(self) -> Sequence[bool]:
        """Whether each choice did what it was to do."""
        ...

    @property
    def last(self) -> Mapping[int, View]:
        """The last view of each world that ended."""
        ...


class Playable(Protocol):
    """One world of skills, as SkillEnv is with ``num_envs`` 1."""

    def reset(self, seed: int) -> Any:
        """Begin; returns a Played."""
        ...

    def step(self, choices: Sequence[Any]) -> Any:
        """Do a sub-goal; returns a Played."""
        ...

    def picture(self, world: int) -> Image:
        """Look at it."""
        ...


class Playing:
    """One episode, from its beginning to where the world ends it."""

    def __init__(
        self,
        env: Playable,
        robot: RobotSpec,
        things: Mapping[str, str],
        *,
        seed: int = 0,
        skills: Mapping[str, SkillFacts] | None = None,
        sees: bool = False,
    ) -> None:
        """Begin an episode.

        Args:
            env: the world.
            robot: that plays.
            things: categories by name, as a plan check needs them.
            seed: of the episode.
            skills: the robot's library by name.
            sees: whether the world has pictures.
        """
        self._env, self._skills, self._sees = env, skills or {}, sees
        low, high = robot.workspace_lower, robot.workspace_upper
        # Facts say what is within reach; where a thing lies does not enter here.
        middle = np.zeros(3) if low is None or high is None else (low + high) / 2
        self._objects = tuple(
            SceneObject(
                name=name,
                category=category,
                color=name.partition("_")[0],
                pose=Pose(position=middle),
                size=np.zeros(3),
            )
            for name, category in things.items()
        )
        played: Played = env.reset(seed)
        self._view: View = played.views[0]
        self.seconds = 0.0
        """That were played."""
        self.over = False
        """Whether the world ended the episode."""
        self.plans: list[Plan] = []
        """What was announced."""
        self.notes: list[tuple[Phase, str]] = []

    def ports(self) -> Ports:
        """What an Executive is built with."""
        return Ports(
            scene=self._scene,
            execute=self._execute,
            announce=self.plans.append,
            note=lambda phase, text: self.notes.append((phase, text)),
            interrupted=lambda: None,
            picture=lambda: self._env.picture(0) if self._sees else None,
            clock=lambda: self.seconds,
            skills=self._skills,
        )

    def _scene(self) -> Scene:
        return Scene(
            stamp_s=self.seconds,
            objects=self._objects,
            predicates=frozenset(self._view.facts),
            caption=self._view.caption,
            source="ground_truth",
        )

    def _execute(self, subgoal: SubGoal, number: int, count: int) -> Outcome:
        if self.over:
            return Outcome(
                success=False,
                error_code=int(ErrorCode.TASK_TIMEOUT),
                message=f"the world ended the episode after {self.seconds:.0f} s",
            )
        played: Played = self._env.step([subgoal])
        self.seconds += float(played.seconds[0])
        self.over = bool(played.terminated[0] or played.truncated[0])
        self._view = played.last[0] if self.over else played.views[0]
        if played.done[0]:
            return Outcome(success=True)
        return Outcome(
            success=False,
            error_code=int(ErrorCode.SUBGOAL_FAILED),
            message="it did not do what it was to do",
        )

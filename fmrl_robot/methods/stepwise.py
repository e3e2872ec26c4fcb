"""What methods share that name one step at a time, in the arm's plan language.

A method says which step comes next; here it is resolved against the scene as it is now, and what
came of it is kept beside it. A step may come to several skills, ``put(red_cube,bowl)`` to a grasp
and a place; one that has nothing to do any more is passed over without asking anybody to move.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fmrl_robot.card import MethodCard
from fmrl_robot.errors import ErrorCode, Retryable
from fmrl_robot.fm import load_language_model, require
from fmrl_robot.methods.prompted import check_fits
from fmrl_robot.planners import plan_expansion, plan_language
from fmrl_robot.planners.nouns import Nouns
from fmrl_robot.planners.prompting import (
    COMPLAINTS,
    check_readable,
    complaints,
    describe_scene,
    say_feedback,
)
from fmrl_robot.planners.step_words import DONE
from fmrl_robot.planning import Context, Done, Feedback, Proposal, Step
from fmrl_robot.skills.captioner import KNOWN_FACTS
from fmrl_robot.types import Plan, Predicate, Usage

MOST_PASSED_OVER = 8
"""Steps in a row that have nothing to do."""


@dataclass(kw_only=True, slots=True, eq=False)
class Asked:
    """A step that was asked for."""

    text: str
    """In the plan language, or DONE."""
    goal: tuple[Predicate, ...] = ()
    """What it is to bring about."""
    count: int = 0
    """Skills that it came to."""
    steps: list[Step] = field(default_factory=list[Step])
    """Those that were carried out."""

    @property
    def refused(self) -> bool:
        """Whether nothing of it was carried out although there was something to do."""
        return self.text == DONE or (self.count > 0 and not self.steps)

    @property
    def ids(self) -> set[str]:
        """Of the sub-goals that were carried out."""
        return {step.subgoal.id for step in self.steps}


class StepwisePlanner(ABC):
    """A Planner that gives one step each time it is asked."""

    card: ClassVar[MethodCard]

    def __init__(self, model: Any | None, language_model: str) -> None:
        """Take a model, or load ``language_model``.

        Raises:
            ConfigError: it lacks a capability that the card names, or cannot be loaded.
        """
        self.model = load_language_model(language_model) if model is None else model
        for capability in self.card.needs:
            require(self.model, capability, by=self.card.name)
        self.instruction = ""
        self.asked: list[Asked] = []

    @abstractmethod
    def choose(self, context: Context) -> str | Proposal:
        """Name the step that comes next in the plan language, DONE, or propose something else."""

    @abstractmethod
    def usage(self) -> Sequence[Usage]:
        """What was asked of the model since the last call."""

    # --- Planner ----------------------------------------------------------------------------------

    def reset(self, instruction: str, robot: str) -> None:
        """Begin a task; see Planner.

        Raises:
            Terminal: the instruction is empty, too long or in no language of the model.
            ConfigError: the robot is of a kind that the method does not plan for.
        """
        check_fits(self.card, robot)
        self.instruction = check_readable(self.model, instruction)
        self.asked = []

    def propose(self, context: Context) -> Proposal:
        """Ask for a step; see Planner."""
        scene = context.scene
        for _ in range(MOST_PASSED_OVER):
            text = self.choose(context)
            if not isinstance(text, str):
                return text
            if text == DONE:
                goal = self._wanted()
                self.asked.append(Asked(text=DONE))
                return Done(goal=goal)
            steps = plan_language.parse(text, Nouns.of(scene))
            if len(steps) != 1:
                raise Retryable(
                    f"expected one step or {DONE}, got {len(steps)}", ErrorCode.PLAN_SCHEMA
                )
            subgoals, goal = plan_expansion.expand(steps, scene)
            self.asked.append(Asked(text=text, goal=goal, count=len(subgoals)))
            if subgoals:
                return Plan(
                    instruction=self.instruction, method=self.card.name, subgoals=subgoals,
                    goal=goal,
                )  # fmt: skip
        raise Retryable(
            f"expected a step that does something, got {MOST_PASSED_OVER} in a row that are done "
            "already; name one that is left to do, or done"
        )

    def observe(self, step: Step) -> None:
        """Keep what came of the step that was asked for last."""
        if self.asked:
            self.asked[-1].steps.append(step)

    # --- for methods ------------------------------------------------------------------------------

    @property
    def carried_out(self) -> list[Asked]:
        """The steps so far, without those that were refused."""
        return [asked for asked in self.asked if not asked.refused]

    @property
    def in_vain(self) -> set[str]:
        """What was asked for since anything was last carried out: it was refused, or is so."""
        found: set[str] = set()
        for asked in reversed(self.asked):
            if asked.steps:
                break
            found.add(asked.text)
        return found

    def _wanted(self) -> tuple[Predicate, ...]:
        """What all steps were to bring about, those that failed too: of each thing the last."""
        goal: dict[str, Predicate] = {}
        for fact in (f for asked in self.carried_out for f in asked.goal):
            if fact.name in KNOWN_FACTS and fact.args:
                goal.pop(fact.args[0], None)
                goal[fact.args[0]] = fact
        return tuple(goal.values())

    def written(self, guide: str, context: Context) -> str:
        """A prompt for a model that was not trained on this: all that is known, as text."""
        lines = [guide, "", describe_scene(context.scene), ""]
        if wrong := complaints(context.news):
            lines += [f"Your last answer was refused, or failed: {wrong}", ""]
        lines += [f'Instruction: "{self.instruction}"', "Steps so far:"]
        for number, asked in enumerate(self.carried_out, start=1):
            lines.append(f"{number}. {asked.text}")
            lines += [f"   {say_feedback(f)}" for f in _about(asked, context.feedback)]
        lines += [say_feedback(f) for f in context.feedback if f.channel == "person"]
        return "\n".join([*lines, "Next step:"])


def _about(asked: Asked, feedback: Sequence[Feedback]) -> list[Feedback]:
    """What was found out about a step beyond complaints."""
    return [f for f in feedback if f.about in asked.ids and f.channel not in COMPLAINTS]

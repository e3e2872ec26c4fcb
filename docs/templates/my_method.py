"""My method: one sentence on what it does.

Reference: who, title, where, year.
Inputs: an instruction and the scene. Outputs: an ordered list of sub-goals.

What differs from the paper: say it here and in the card.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.fm import load_language_model
from fmrl_robot.methods.card import MethodCard
from fmrl_robot.planners import plan_expansion, plan_language
from fmrl_robot.planners.prompting import PlanAsker
from fmrl_robot.robots import robot as find_robot
from fmrl_robot.types import Outcome, Plan, Scene, SubGoal, Usage

METHOD = MethodCard(
    name="my_method",
    reference="Somebody et al., Some Title, Some Venue, 2026",
    role="planner",
    robots=("arm",),
    protocols=("Planner",),
    needs=("Generates",),
    differs=("Nothing yet: it is a template.",),
    ablation="what is switched off to show what the method is good for",
)

GUIDE = """\
You plan for a robot arm. Write steps separated by semicolons, such as put(red_cube,bowl)."""


class MyMethod:
    """A Planner that asks once and is asked again after a failure."""

    card = METHOD

    def __init__(self, model: Any | None = None, *, language_model: str = "embedded") -> None:
        """Build it; PlanAsker refuses a model without the capability, naming both."""
        self._asker = PlanAsker(
            model or load_language_model(language_model),
            method="my_method",
            grammar=plan_language.grammar_of,
            kind="arm",
            guide=GUIDE + plan_language.guide(),
            temperature=0.0,
            seed=0,
        )
        self._instruction = ""

    def reset(self, instruction: str, robot: str) -> None:
        """Begin a task: refuse at once what no model need be asked about."""
        if find_robot(robot).kind not in METHOD.robots:
            raise ConfigError(
                f"expected an arm for my_method, got {robot!r}", ErrorCode.METHOD_UNKNOWN
            )
        self._instruction = self._asker.reset(instruction)

    def should_query(self, scene: Scene, last: Outcome | None) -> bool:
        """When to ask: here at the start and after a failure."""
        return last is None or not last.success

    def propose(self, scene: Scene, feedback: str = "") -> Plan:
        """Ask, read, and resolve against the scene; Retryable and Terminal pass through."""
        text = self._asker.ask(self._instruction, scene, feedback)
        subgoals, goal = plan_expansion.expand(plan_language.parse(text), scene)
        return Plan(instruction=self._instruction, method="my_method", subgoals=subgoals, goal=goal)

    def observe(self, subgoal: SubGoal, outcome: Outcome) -> None:
        """Hear how a step ended."""
        self._asker.accepted()

    def usage(self) -> Sequence[Usage]:
        """What was asked of the model since the last call."""
        return self._asker.usage()

"""My method: one sentence on what it does.

Reference: who, title, where, year.
Inputs: an instruction and the scene. Outputs: an ordered list of sub-goals.

What differs from the paper: say it here and in the card.
"""

from __future__ import annotations

from fmrl_robot.card import MethodCard
from fmrl_robot.methods.prompted import PromptedPlanner
from fmrl_robot.planners import plan_expansion, plan_language
from fmrl_robot.types import Plan, Scene

METHOD = MethodCard(
    name="my_method",
    reference="Somebody et al., Some Title, Some Venue, 2026",
    role="planner",
    robots=("arm",),
    protocols=("Planner",),
    needs=("Generates",),
    differs=("Nothing yet: it is a template.",),
    ablation="what is switched off to show what the method is good for",
    trigger="on_failure:2",
)

GUIDE = """\
You plan for a robot arm. Write steps separated by semicolons, such as put(red_cube,bowl)."""


class MyMethod(PromptedPlanner):
    """A Planner that asks for a whole plan, and is asked again after a failure."""

    card = METHOD

    def grammar(self, scene: Scene) -> str:
        """What an answer may look like; a model that takes grammars is held to it."""
        return plan_language.grammar_of(scene)

    def guide(self) -> str:
        """What the model is told before scene and instruction."""
        return GUIDE + plan_language.guide()

    def read(self, answer: str, scene: Scene) -> Plan:
        """Read, and resolve against the scene; Retryable and Terminal pass through."""
        subgoals, goal = plan_expansion.expand(plan_language.parse(answer), scene)
        return Plan(instruction=self.instruction, method=METHOD.name, subgoals=subgoals, goal=goal)

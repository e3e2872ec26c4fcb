"""A planner that gives what a script says, and a table-top in which it is carried out, for tests.

Script and world are told apart: the planner sees its context alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fmrl_robot.planning import Context, Step
from fmrl_robot.robots import PANDA
from fmrl_robot.runtime.budgets import Budgets
from fmrl_robot.runtime.executive import Executive
from fmrl_robot.runtime.ports import Ports
from fmrl_robot.runtime.triggers import trigger_for
from fmrl_robot.types import (
    Outcome,
    Plan,
    Pose,
    Predicate,
    Scene,
    SceneObject,
    SubGoal,
    SubGoalKind,
    Success,
)

THINGS = ("red_cube", "blue_cube", "green_cube", "bowl", "bin", "drawer", "button")


def region(skill, target, until, number="1"):
    """A step of an arm."""
    return SubGoal(
        id=number,
        kind=SubGoalKind.REGION,
        skill=skill,
        target=target,
        termination=Predicate.parse(until),
        text=until,
    )


def grasp(cube):
    return region("grasp", cube, f"held({cube})")


def place(cube, where):
    inside = where in ("bowl", "bin", "drawer")
    return region("place", where, f"{'in' if inside else 'on'}({cube}, {where})")


PRESS = region("press", "button", "pressed(button)")


def plan(*steps, instruction="", goal=(), **rest):
    """A plan of steps, numbered."""
    numbered = [replace(s, id=str(i + 1)) for i, s in enumerate(steps)]
    return Plan(
        instruction=instruction,
        method="scripted",
        subgoals=tuple(numbered),
        goal=tuple(Predicate.parse(g) for g in goal),
        **rest,
    )


class Table:
    """Cubes, containers, a drawer, a button: what the executive reaches through its ports."""

    def __init__(self, fails: Sequence[int] = ()) -> None:
        self.below = dict.fromkeys(("red_cube", "blue_cube", "green_cube"), "table")
        self.held, self.pressed = "", False
        self.fails = set(fails)
        """Numbers of the steps, from 1, that fail."""
        self.executed: list[str] = []
        self.looks = 0
        self.seconds = 0.0

    def scene(self) -> Scene:
        self.looks += 1
        facts = {
            Predicate("in" if p in ("bowl", "bin", "drawer") else "on", (c, p))
            for c, p in self.below.items()
        }
        facts |= {Predicate("held", (self.held,))} if self.held else set()
        facts |= {Predicate("pressed", ("button",))} if self.pressed else set()
        things = tuple(
            SceneObject(
                name=name,
                category=name.rpartition("_")[2],
                color=name.partition("_")[0],
                pose=Pose(position=np.array([0.5, 0.0, 0.02])),
                size=np.full(3, 0.04),
            )
            for name in THINGS
        )
        return Scene(stamp_s=0.0, objects=things, predicates=frozenset(facts), caption="a table")

    def execute(self, subgoal: SubGoal, number: int, count: int) -> Outcome:
        self.executed.append(f"{subgoal.skill} {subgoal.target}")
        self.seconds += 2.0
        if len(self.executed) in self.fails:
            return Outcome(success=False, error_code=307, message="it slipped")
        match subgoal.skill:
            case "grasp":
                self.held = subgoal.target
                del self.below[self.held]
            case "place":
                self.below[self.held], self.held = subgoal.target, ""
            case _:
                self.pressed = True
        return Outcome(success=True)


@dataclass
class Scripted:
    """A Planner that answers with what comes next in a list; a callable is asked with the context.

    The last answer is given again and again.
    """

    answers: list
    heard: list[Context] = field(default_factory=list)
    observed: list[Step] = field(default_factory=list)
    instruction: str = ""

    def reset(self, instruction, robot):
        self.instruction = instruction

    def propose(self, context):
        self.heard.append(context)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Callable):
            answer = answer(context)
        if isinstance(answer, Plan):
            answer = replace(answer, instruction=self.instruction)
        return answer

    def observe(self, step):
        self.observed.append(step)

    def usage(self):
        return ()


class Run:
    """One task, carried out, and everything that can be asked of it."""

    def __init__(
        self, planner, instruction, *, table=None, trigger="on_finish", feedback=(), budgets=None,
        answer=None, verdict=Success.UNKNOWN, draw=None,
    ):  # fmt: skip
        self.planner, self.table = planner, table or Table()
        self.plans, self.notes, self.questions = [], [], []

        def ask(question):
            self.questions.append(question)
            return answer

        ports = Ports(
            scene=self.table.scene,
            execute=self.table.execute,
            announce=self.plans.append,
            note=lambda phase, text: self.notes.append((phase, text)),
            interrupted=lambda: None,
            ask=ask,
            verdict=lambda subgoal: verdict,
            clock=lambda: self.table.seconds,
        )
        executive = Executive(
            planner,
            PANDA,
            ports,
            trigger=trigger_for(planner, trigger),
            feedback=feedback,
            budgets=budgets or Budgets(),
            draw=draw,
        )
        self.ending = executive.run(instruction, "task")
        self.outcome = self.ending.outcome
        self.executed = self.table.executed

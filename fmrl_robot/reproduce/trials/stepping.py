"""Plays a planner of single steps in SkillEnv *table*, without anybody else's eyes.

The executive of the graph checks each step, and looks whether the goal is seen before it believes
that all is done: feedback of its own, that would hide what a method hears or does not hear. Here
steps are carried out as they are proposed, the channels say what they are asked to, and at the end
the world's truth alone says whether the task was done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from fmrl_robot.errors import FmrlError
from fmrl_robot.fm import guarded, load_language_model
from fmrl_robot.planning import Context, Done, Feedback, Proposal, Question, Step
from fmrl_robot.protocols import Planner
from fmrl_robot.robots import robot as find_robot
from fmrl_robot.runtime.feedback import CHANNELS, PERSON, Moment
from fmrl_robot.runtime.playing import Playing
from fmrl_robot.skills.env import PlayedSkillEnv, Task
from fmrl_robot.types import Outcome, Plan, Scene, SubGoal, Success

ROBOT, MOST = "panda", 20
"""Who plays, and how often a planner is asked at most in a task."""

Blur = Callable[[Scene, SubGoal], Scene]
"""What detectors make of a scene after a step."""
Person = Callable[[Question], str]


@dataclass(kw_only=True, slots=True)
class Played:
    """How a task went."""

    done: bool
    """Whether the planner said that all was done, and it was."""
    steps: int = 0
    """Skills that were tried."""
    feasible: int = 0
    """Of them those whose preconditions held."""
    asked: int = 0
    """Questions to a person."""


@cache
def model(name: str, cache_folder: Path | None) -> Any:
    """Load a language model whose answers are kept on disk, for all trials."""
    return guarded(load_language_model(name), cache_folder)


def play(
    planner: Planner,
    env: PlayedSkillEnv,
    seed: int,
    *,
    channels: Sequence[str] = (),
    blur: Blur = lambda scene, _: scene,
    person: Callable[[Task, Callable[[], Any]], Person] | None = None,
) -> Played:
    """Play one task.

    Args:
        planner: asked for one proposal after the other.
        env: of one world, whose episodes do not end by themselves.
        seed: of the task and what comes of steps.
        channels: of runtime/feedback.py that are on.
        blur: what they, and not the planner's own look at the scene, see.
        person: answers questions; None: there is nobody.
    """
    robot = find_robot(ROBOT)
    env.reset(seed)
    task, things = env.task(0), env.truth(0).things
    playing = Playing(env, robot, things, seed=seed)
    ports = playing.ports()
    answers = None if person is None else person(task, lambda: env.truth(0))
    told = _Told(ports.scene, channels, blur)
    found = Played(done=False)
    try:
        planner.reset(task.instruction, ROBOT)
        for number in range(MOST):
            proposal: Proposal = planner.propose(told.context())
            if isinstance(proposal, Done):
                found.done = not playing.over and task.reached(env.truth(0))
                return found
            if isinstance(proposal, Question):
                found.asked += 1
                told.answer(proposal, answers)
            elif isinstance(proposal, Plan):
                _carry_out(proposal, number, planner, env, ports.execute, told, found)
            else:
                return found
    except FmrlError:  # a refusal, or an answer that nobody can read: a failure like another
        pass
    return found


def _carry_out(
    plan: Plan,
    number: int,
    planner: Planner,
    env: PlayedSkillEnv,
    execute: Callable[[SubGoal, int, int], Outcome],
    told: _Told,
    found: Played,
) -> None:
    """Carry out a proposal's skills until one fails."""
    for i, asked in enumerate(plan.subgoals):
        subgoal = replace(asked, id=f"{asked.id}.{number}")
        found.steps += 1
        found.feasible += not env.truth(0).unmet(subgoal.skill, subgoal.target)
        step = Step(subgoal=subgoal, outcome=execute(subgoal, i, len(plan.subgoals)))
        planner.observe(step)
        told.after(step, i + 1, len(plan.subgoals))
        if not step.outcome.success:
            return


class _Told:
    """What a planner is told of one task."""

    def __init__(
        self, look: Callable[[], Scene | None], channels: Sequence[str], blur: Blur
    ) -> None:
        self._look, self._channels, self._blur = look, channels, blur
        self._history: list[Step] = []
        self._feedback: list[Feedback] = []
        self._told = 0

    def context(self) -> Context:
        scene = self._seen()
        context = Context(
            look=lambda: scene,
            history=tuple(self._history),
            ended=self._history[-1].outcome if self._history else None,
            feedback=tuple(self._feedback),
            told=self._told,
        )
        self._told = len(self._feedback)
        return context

    def _seen(self) -> Scene:
        scene = self._look()
        assert scene is not None, "a symbolic world is always seen"  # noqa: S101
        return scene

    def after(self, step: Step, number: int, count: int) -> None:
        """Hear of a step through the channels that are on."""
        self._history.append(step)
        seen = self._blur(self._seen(), step.subgoal)
        moment = Moment(
            step=step, number=number, count=count, look=lambda: seen,
            verdict=lambda: Success.UNKNOWN,
        )  # fmt: skip
        for name in self._channels:
            found = CHANNELS[name](moment) if name in CHANNELS else None
            if found is not None:
                self._feedback.append(found)

    def answer(self, question: Question, person: Person | None) -> None:
        """Hear what a person says, if there is one and may be asked."""
        text = person(question) if person is not None and PERSON in self._channels else ""
        self._feedback.append(
            Feedback(
                channel=PERSON,
                text=text or "nobody may be asked",
                mark=None if text else Success.UNKNOWN,
                about=question.text,
            )
        )

"""Reflexion: an actor tries, a reflector writes a lesson of what failed, the next try reads it.

Reference: Shinn, Cassano, Berman, Gopinath, Narasimhan, Yao, "Reflexion: Language Agents with
Verbal Reinforcement Learning", NeurIPS 2023.
Inputs: an instruction and the facts of a scene; from the second trial on, what came of the last.
Outputs: one phrase after another of a plan that a model wrote.

What differs from the paper: see ``METHOD.differs``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fmrl_robot.ablation import Ablation, Arm, Bar, Measure
from fmrl_robot.agents.lessons import Attempt, Reflector, by_exclusion
from fmrl_robot.card import MethodCard
from fmrl_robot.errors import FmrlError
from fmrl_robot.fm import load_language_model, require
from fmrl_robot.methods.psl import PSL
from fmrl_robot.planning import Context
from fmrl_robot.skills.drawing import scene_of
from fmrl_robot.skills.env.words import DONE, say
from fmrl_robot.skills.tabletop import TABLETOP
from fmrl_robot.skills.world import World

if TYPE_CHECKING:
    from fmrl_robot.types import SkillStep, SkillView

Memory = Literal["none", "last attempt", "reflection", "both"]
"""What a trial is told of those before, as the paper's own program names it."""

METHOD = MethodCard(
    name="reflexion",
    reference="Shinn et al., Reflexion: Language Agents with Verbal Reinforcement Learning, "
    "NeurIPS 2023",
    role="agent",
    robots=("arm",),
    protocols=("Agent",),
    needs=("Generates",),
    differs=(
        "The reflector is code by default, which tries one remedy after another: the embedded "
        "models cannot write reflections. What is shown is that an actor follows a lesson.",
        "The actor writes a whole plan, which stops at the first step that fails; the paper's "
        "thinks before every step.",
        "Of three lessons the newest is read by the actor, and all by the reflector.",
    ),
    ablation="no memory, last attempt, lessons, both, one lesson, lessons of something else",
)

_ASKED = {"model": "embedded", "slips": 0.15}

ABLATION = Ablation(
    question="Does an actor that reads lessons of its failures come to solve what it could not, "
    "and how much of that is the model's reading, how much the reflector's?",
    paper="ALFWorld: 130 of 134 tasks solved within 12 trials; HumanEval 91 % against 80 %; "
    "HotpotQA 20 % more.",
    environment="Table without physics, 15 % of skills fail by chance; in 80 % of tasks "
    "nothing stays in the bowl before one of four other things was done, which nobody sees. Five "
    "trials a task; solved by the world's own goal. The embedded planner acts",
    trial="fmrl_robot.reproduce.trials.reflexion:trial",
    arms=(
        Arm(name="reflection", words="three lessons; the reflector tries what was not tried yet",
            settings=_ASKED | {"memory": "reflection"}),
        Arm(name="no memory", words="every trial as the first",
            settings=_ASKED | {"memory": "none"}),
        Arm(name="last attempt", words="what was done and failed, in words",
            settings=_ASKED | {"memory": "last attempt"}),
        Arm(name="both", words="lessons and the last attempt",
            settings=_ASKED | {"memory": "both"}),
        Arm(name="one lesson", words="only the last is kept",
            settings=_ASKED | {"memory": "reflection", "lessons": 1}),
        Arm(name="irrelevant", words="lessons of something else",
            settings=_ASKED | {"memory": "reflection", "reflector": "irrelevant"}, control=True),
        Arm(name="told", words="the reflector is told the cause, 30 % of the time a wrong one",
            settings=_ASKED | {"memory": "reflection", "reflector": "told", "wrong": 0.3}),
        Arm(name="code", words="code puts the lesson's plan first: no model has to read a lesson",
            settings=_ASKED | {"memory": "reflection", "actor": "code"}),
    ),
    measures=(
        Measure(name="fifth", words="solved within five trials"),
        Measure(name="third", words="within three"),
        Measure(name="first", words="at once"),
    ),
    bars=(
        Bar(words="Solved within five trials, reflection minus no memory", measure="fifth",
            arm="reflection", against="no memory", at_least=0.40),
        Bar(words="the same, minus last attempt", measure="fifth", arm="reflection",
            against="last attempt", at_least=0.35),
        Bar(words="the same, minus one lesson", measure="fifth", arm="reflection",
            against="one lesson", at_least=0.05),
        Bar(words="both minus reflection", measure="fifth", arm="both", against="reflection",
            at_most=0.05),
        Bar(words="irrelevant lessons minus no memory", measure="fifth", arm="irrelevant",
            against="no memory", at_most=0.05),
        Bar(words="within three trials, told the cause minus exclusion (the reflector's share)",
            measure="third", arm="told", against="reflection", at_least=0.20),
        Bar(words="code minus model (lost by the model's reading)", measure="fifth", arm="code",
            against="reflection", at_most=0.10),
    ),
    full={"tasks": 60},
    quick={"tasks": 3},
    differs=(
        *METHOD.differs,
        "Tasks and texts are this project's; trials are five.",
    ),
    curve=("trial", "solved"),
)  # fmt: skip


class Reflexion:
    """An Agent."""

    card = METHOD
    ablation = ABLATION

    def __init__(
        self, model: Any | None = None, *, language_model: str = "embedded",
        memory: Memory = "reflection", lessons: int = 3, reflector: Reflector = by_exclusion,
        actor_reads: bool = True, seed: int = 0,
    ) -> None:  # fmt: skip
        """Build the agent.

        Args:
            model: the actor's, that Generates; None loads ``language_model``.
            language_model: name for fm.load_language_model.
            memory: what a trial is told of those before.
            lessons: so many are kept, the newest.
            reflector: writes them.
            actor_reads: False: code puts the lesson's plan before that of the instruction, so that
                the model never has to read a lesson.
            seed: of the actor's sampling.

        Raises:
            ConfigError: the model lacks a capability or cannot be loaded.
        """
        model = load_language_model(language_model) if model is None else model
        require(model, "Generates", by=METHOD.name)
        self._actor = PSL(model, seed=seed)
        self._memory, self._kept, self._reflector = memory, lessons, reflector
        self._reads = actor_reads
        self.attempts: list[Attempt] = []
        self.lessons: list[list[str]] = []
        """Of each world, oldest first."""
        self._before: list[Attempt] = []
        """The last trial of each world."""

    # --- Agent ------------------------------------------------------------------------------------

    def begin(self, now: SkillStep) -> None:
        """Begin a trial: the next of these tasks where they are the same, else the first."""
        new = [
            Attempt(world=i, instruction=text, first=view)
            for i, (text, view) in enumerate(zip(now.instructions, now.views, strict=True))
        ]
        if [a.instruction for a in self.attempts] == [a.instruction for a in new]:
            self._before = self.attempts
        else:
            self._before, self.lessons = [], [[] for _ in new]
        self.attempts = new
        for attempt in new:
            attempt.plan = self._planned(attempt)

    def act(self, now: SkillStep, *, greedy: bool = False) -> list[int]:
        """Choose what is next of each plan, ``done`` where nothing is; see Agent."""
        del greedy
        return [self._next(a, v) for a, v in zip(self.attempts, now.views, strict=True)]

    def observe(self, now: SkillStep) -> None:
        """Hear how each step ended; a plan stops at the first that fails."""
        for i, attempt in enumerate(self.attempts):
            if attempt.over:
                continue
            if not now.done[i] and attempt.done[-1] != DONE:
                attempt.failed, attempt.plan = attempt.done[-1], []
            attempt.over = bool(now.terminated[i] or now.truncated[i])
            attempt.won = attempt.over and bool(now.rewards[i] > 0)

    def update(self) -> dict[str, float]:
        """Write a lesson of every trial that ended badly; see Agent."""
        failed = [a for a in self.attempts if a.over and not a.won]
        if self._memory in ("reflection", "both"):
            for attempt in failed:
                lessons = self.lessons[attempt.world]
                lessons.append(self._reflector(attempt, tuple(lessons)))
                del lessons[: -self._kept]
        over = [a for a in self.attempts if a.over]
        return {"episode/success": sum(a.won for a in over) / len(over)} if over else {}

    def state_dict(self) -> dict[str, Any]:
        """Lessons, and what was tried last; see Agent."""
        return {"lessons": [[*of] for of in self.lessons], "attempts": [*self.attempts]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called; see Agent."""
        self.lessons = [[*of] for of in state["lessons"]]
        self.attempts = [*state["attempts"]]

    # --- The actor --------------------------------------------------------------------------------

    def _planned(self, attempt: Attempt) -> list[str]:
        """Phrases of the actor's plan, with what it remembers."""
        lessons, task = self.lessons[attempt.world], attempt.instruction
        if lessons and not self._reads:
            return self._phrases(attempt.first, lessons[-1], task)
        if lessons:
            task = f"first {lessons[-1]}, then {task}"
        if self._before and self._memory in ("last attempt", "both"):
            last = self._before[attempt.world]
            told = ", ".join(phrase for phrase in last.done if phrase != DONE)
            if told and last.over and not last.won:
                task = f"{task}. last time: {told} failed"
        return self._phrases(attempt.first, task)

    def _phrases(self, view: SkillView, *texts: str) -> list[str]:
        """What the model's plans for these texts come to; nothing where it fails."""
        world = World.made(_things(view), view.facts)
        found: list[str] = []
        for text in texts:
            try:
                self._actor.reset(text, "panda")
                plan = self._actor.propose(Context.of(scene_of(world)))
            except FmrlError:  # a refusal, or no sentence of the language: a trial that fails
                return []
            for goal in plan.subgoals:
                found.append(say(goal.skill, (goal.target,), world.things, "seen"))
                world.force(goal.skill, goal.target)
        return found

    def _next(self, attempt: Attempt, view: SkillView) -> int:
        phrase = attempt.plan.pop(0) if attempt.plan else DONE
        number = view.phrases.index(phrase) if phrase in view.phrases else -1
        if number < 0 or not view.admissible[number]:
            # What cannot be done ends a plan; where even that may not be said, anything is chosen.
            attempt.failed, attempt.plan = phrase, []
            number = view.phrases.index(DONE)
            if not view.admissible[number]:
                number = int(np.flatnonzero(view.admissible)[0])
        if not attempt.over:
            attempt.done.append(view.phrases[number])
        return number


def _things(view: SkillView) -> dict[str, str]:
    """Categories: of the table's own things, and by the last word of a name of what else is seen.

    An empty bowl is in no fact, so what there always is has to be known.
    """
    names = {name for fact in view.facts for name in fact.args} - set(TABLETOP)
    return {**TABLETOP, **{name: name.rpartition("_")[2] for name in sorted(names)}}

"""Questions to a causal language model about skills, scenes and runs, each with its answers.

They read as plain text, so that any model may be asked; the embedded causal models were taught
these very forms. Answers are given as continuations, to be generated or scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fmrl_robot.skills.captioner import caption, say_thing
from fmrl_robot.types import Predicate, SubGoal

YES, NO = "yes", "no"
BETTER = ("A", "B", "equal")
DONE = "done"


def say_skill(subgoal: SubGoal) -> str:
    """Name a primitive skill of the arm in words, as a continuation."""
    thing = say_thing(subgoal.target)
    match subgoal.skill:
        case "grasp":
            return f"pick up {thing}"
        case "place":
            ends = subgoal.termination
            where = "in" if ends is not None and ends.name == "in" else "on"
            return f"place it {where} {thing}"
        case _:
            return f"{subgoal.skill} {thing}"


def say_scene(facts: Iterable[Predicate]) -> str:
    """Describe what holds, one short sentence a fact, in a fixed order."""
    return " ".join(f"{caption(fact)}." for fact in sorted(f for f in facts if f.value))


def next_skill(scene: str, instruction: str, done: Sequence[str]) -> str:
    """Ask which skill comes next; the answer is one of say_skill's phrases, or DONE."""
    steps = " ".join(f"{i}. {step}" for i, step in enumerate(done, start=1))
    return (
        f"Scene: {scene}\nTask: {instruction}\nSteps: {steps}{' ' if steps else ''}{len(done) + 1}."
    )


def holds(scene: str, fact: Predicate) -> str:
    """Ask whether a fact holds in a scene; the answer is YES or NO."""
    return f"Scene: {scene}\nQuestion: is it true that {caption(fact)}?"


def say_run(skills: Sequence[str], facts: Iterable[Predicate]) -> str:
    """Summarise a run: what was done, and how things stood at its end."""
    did = "; ".join(skills) or "nothing"
    return f"did {did}. At the end: {say_scene(facts)}"


def better_run(task: str, first: str, second: str) -> str:
    """Ask which of two runs did a task better; the answer is one of BETTER."""
    return f"Task: {task}\nRun A {first}\nRun B {second}\nBetter run:"


def goals(scene: str) -> str:
    """Ask for things worth doing in a scene; the answer lists tasks, separated by semicolons."""
    return f"Scene: {scene}\nSuggest tasks:"


def describe(facts: Iterable[Predicate]) -> str:
    """Ask for a description of facts in one sentence."""
    return f"Facts: {', '.join(str(f) for f in sorted(facts))}\nDescribe:"

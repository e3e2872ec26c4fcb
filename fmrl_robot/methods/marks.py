"""Feedback on steps as marks, for models that cannot read it as text.

Each channel that is on has its say of each step so far: detectors said whether it succeeded, the
newest list of objects may contradict it, the scene as it is now judges it anew, and what a person
said of it counts more than any of these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from fmrl_robot.methods.stepwise import Asked
from fmrl_robot.planners.step_words import DONE
from fmrl_robot.planning import Context, Feedback, Question
from fmrl_robot.skills.captioner import KNOWN_FACTS, caption
from fmrl_robot.types import Predicate, Scene, Success

Sees = Callable[[Scene, Predicate], bool]
"""Whether a fact is seen to hold."""


class Marks:
    """What is known now of the steps of a task."""

    def __init__(self, asked: Sequence[Asked], context: Context, sees: Sees) -> None:
        """Look.

        Args:
            asked: all steps so far.
            context: with what was heard of them.
            sees: judges the facts of a scene.
        """
        self._asked, self._context, self._sees = asked, context, sees
        self._done = [a for a in asked if not a.refused]
        # That all is done was not believed: whoever was told so looks again.
        doubted = bool(asked) and asked[-1].text == DONE
        self._looks = doubted or any(f.channel == "scene" for f in context.feedback)
        self._lying = _on_table(context.feedback)

    def each(self) -> list[tuple[str, bool]]:
        """Each distinct step once, where it was last asked for, and whether it is well.

        A model that was taught to try once more gives up at the second mark of failure.
        """
        found: dict[str, bool] = {}
        for asked in self._done:
            found.pop(asked.text, None)
            found[asked.text] = self._is_well(asked)
        return list(found.items())

    def doubt(self) -> Question | None:
        """A question about the last step, where detector and scene disagree."""
        alone = any(map(_unanswered, self._context.feedback))
        if not self._done or not self._looks or alone:
            return None
        verdict = self._verdict(self._done[-1])
        for fact in self._last_word(self._done[-1]):
            seen = self._sees(self._context.scene, fact)
            agreed = verdict is Success.UNKNOWN or seen == (verdict is Success.YES)
            if not agreed and self._answer(fact) is None:
                return Question(text=self._question(fact), choices=("yes", "no"))
        return None

    def _is_well(self, asked: Asked) -> bool:
        """What the channels that are on say of a step; without any it counts as done."""
        facts = self._last_word(asked)
        answers = [a for a in map(self._answer, facts) if a is not None]
        if answers:
            return all(answers)
        if self._looks:
            return all(self._sees(self._context.scene, fact) for fact in facts)
        if self._lying is not None and any(_contradicts(self._lying, fact) for fact in facts):
            return False
        return self._verdict(asked) is not Success.NO

    def _last_word(self, asked: Asked) -> list[Predicate]:
        """What a step is to have brought about and no later one has undone on purpose."""
        later = self._asked[self._asked.index(asked) + 1 :]
        changed = {fact.args[0] for a in later if a.steps for fact in a.goal}
        return [f for f in asked.goal if f.name in KNOWN_FACTS and f.args[0] not in changed]

    def _verdict(self, asked: Asked) -> Success:
        """What the success detector said of the skills of a step."""
        told = self._context.feedback
        marks = [f.mark for f in told if f.channel == "success" and f.about in asked.ids]
        if Success.NO in marks:
            return Success.NO
        return Success.YES if Success.YES in marks else Success.UNKNOWN

    def _question(self, fact: Predicate) -> str:
        """Told apart by the number of steps, so that an old answer is not taken for a new one."""
        return f"After step {len(self._done)}: is it true that {caption(fact)}?"

    def _answer(self, fact: Predicate) -> bool | None:
        """What a person said of a fact since the last step; None: nothing, or not yes or no."""
        question = self._question(fact)
        said = next((f.text for f in self._context.feedback if f.about == question), "")
        return {"yes": True, "y": True, "no": False, "n": False}.get(said.strip(" .!").lower())


def _on_table(told: Sequence[Feedback]) -> set[str] | None:
    """What was last seen to lie on the table; None: nobody said."""
    newest = next((f.text for f in reversed(told) if f.channel == "objects"), None)
    return None if newest is None else set(re.findall(r"\w+", newest.partition(":")[2]))


def _contradicts(lying: set[str], fact: Predicate) -> bool:
    """Whether a fact about where a thing is cannot hold, by what lies on the table."""
    if fact.name not in ("in", "on", "held"):
        return False
    return (fact.args[0] in lying) != (fact.args[1:] == ("table",))


def _unanswered(feedback: Feedback) -> bool:
    """Whether a person was asked in vain."""
    return feedback.channel == "person" and feedback.mark is Success.UNKNOWN

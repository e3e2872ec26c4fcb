"""What planners that ask a language model share: checking the request, the prompt, the meter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fmrl_robot.errors import ErrorCode, FmrlError, Terminal
from fmrl_robot.fm import require
from fmrl_robot.fm.usage import UsageMeter
from fmrl_robot.instruction import readable
from fmrl_robot.plancheck.intent.language import unread
from fmrl_robot.planning import Feedback
from fmrl_robot.protocols import Generates
from fmrl_robot.types import Scene, Usage

MAX_INSTRUCTION_CHARS = 1000
COMPLAINTS = ("check", "outcome")
"""Channels of feedback by which a plan is sent back."""
REPAIR_TEMPERATURE = 0.7
"""A refused answer would come again at temperature 0. A plan that was sound but failed on the way
is asked for as before: what changed is the scene."""


def check_instruction(instruction: str) -> str:
    """Return the instruction on one line.

    Raises:
        Terminal: it is empty or longer than MAX_INSTRUCTION_CHARS.
        ConfigError: it is not UTF-8.
    """
    text = " ".join(readable(instruction).split())
    if not text:
        raise Terminal(
            "expected an instruction, got an empty one; say what the robot should do",
            ErrorCode.INSTRUCTION_EMPTY,
        )
    if len(text) > MAX_INSTRUCTION_CHARS:
        raise Terminal(
            f"expected at most {MAX_INSTRUCTION_CHARS} characters, got {len(text)}; shorten it",
            ErrorCode.INSTRUCTION_TOO_LONG,
        )
    return text


def check_readable(model: Any, instruction: str) -> str:
    """Return the instruction on one line, if ``model`` can read it.

    Raises:
        Terminal: it is empty, too long, or in a language that the model's card does not name.
    """
    text = check_instruction(instruction)
    taught = getattr(model, "taught", None)
    if taught is not None and (foreign := unread(text, taught)):
        raise Terminal(
            f"expected {' or '.join(taught.languages)} for {model.model_id}, got "
            f"{foreign}; say it so, or plan with a larger model (--language-model)",
            ErrorCode.LANGUAGE_UNKNOWN,
        )
    return text


def is_short(model: Any) -> bool:
    """Whether a model was trained on lines of its own, and would not understand a guide."""
    return bool(getattr(model, "short_prompts", False))


def short_prompt(kind: str, text: str) -> str:
    """Write the one line that this project's own small models were trained on."""
    return f"{kind}: {' '.join(text.split())} =>"


def describe_scene(scene: Scene) -> str:
    """Say what is known of the scene, one fact a line, for a large model's prompt."""
    names = ", ".join(o.name for o in scene.objects) or "nothing"
    facts = "\n".join(sorted(f"- {p}" for p in scene.predicates if p.value))
    return f"Objects: {names}.\nFacts:\n{facts or '- none'}"


def complaints(news: Sequence[Feedback]) -> str:
    """Say why a plan is sent back; empty where nothing was wrong with it."""
    return "; ".join(f.text for f in news if f.channel in COMPLAINTS)


def say_feedback(feedback: Feedback) -> str:
    """One line of what was found out; a person's words are quoted, as the instruction is."""
    if feedback.channel == "person":
        return f'You asked: "{feedback.about}" The answer: "{feedback.text}"'
    return f"{feedback.channel}: {feedback.text}"


class PlanAsker:
    """Asks one model for plans in one grammar, with the prompt that it says it understands."""

    def __init__(
        self, model: Generates, *, method: str, grammar: str | Callable[[Scene], str], kind: str,
        guide: str, temperature: float, seed: int,
    ) -> None:  # fmt: skip
        """Take a model and what it is held to.

        Args:
            model: asked; it must be able to generate.
            method: who asks, for messages.
            grammar: GBNF of every answer, or what makes it of the scene.
            kind: the first word of a short prompt.
            guide: the head of a prompt for a large model.
            temperature: of first answers; repairs are sampled.
            seed: of sampling.
        """
        require(model, "Generates", by=method)
        self.model = model
        self._grammar = grammar
        self._kind = kind
        self._guide = guide
        self._temperature = temperature
        self._seed = seed
        self._asked = 0
        self._accepted = False
        self._meter = UsageMeter()

    def reset(self, instruction: str) -> str:
        """Begin a new task; the same instruction gets the same answer again.

        Returns:
            The instruction on one line.

        Raises:
            Terminal: it is empty, too long, or in a language that the model's card does not name.
        """
        text = check_readable(self.model, instruction)
        self._asked, self._accepted = 0, False
        return text

    def accepted(self) -> None:
        """Hear that the last plan was carried out, at least in part: it was not malformed."""
        self._accepted = True

    def ask(
        self, instruction: str, scene: Scene, news: Sequence[Feedback] = (), *, prompt: str = ""
    ) -> str:
        """Ask for a plan.

        Args:
            instruction: as ``reset`` returned it.
            scene: as it is now.
            news: what was wrong with the last plan, and what was found out.
            prompt: in the place of the one that is made of these.

        Raises:
            FmrlError: what the model raised; what it cost is metered.
        """
        temperature = self._temperature
        if complaints(news) and not temperature and not self._accepted:
            temperature = REPAIR_TEMPERATURE
        # Also after a failure: the same question with the same seed would be answered the same.
        seed, self._asked = self._seed + self._asked, self._asked + 1
        try:
            (completion,) = self.model.generate(
                prompt or self.prompt(instruction, scene, news),
                grammar=self._grammar if isinstance(self._grammar, str) else self._grammar(scene),
                max_tokens=160 if is_short(self.model) else 400,
                temperature=temperature,
                seed=seed,
            )
        except FmrlError as error:
            if error.usage is not None:
                self._meter.add(error.usage)
            raise
        self._meter.add(completion.usage)
        return completion.text

    def prompt(self, instruction: str, scene: Scene, news: Sequence[Feedback] = ()) -> str:
        """Write the prompt; the scene's and the user's words stand in it as quoted data."""
        if is_short(self.model):
            return short_prompt(self._kind, instruction)
        lines = [self._guide, "", describe_scene(scene), ""]
        if wrong := complaints(news):
            lines += [f"Your last answer was refused: {wrong}", ""]
        lines += [
            line for f in news if f.channel not in COMPLAINTS for line in (say_feedback(f), "")
        ]
        lines += [f'Instruction: "{instruction}"', "Answer:"]
        return "\n".join(lines)

    def usage(self) -> tuple[Usage, ...]:
        """What was asked since the last call."""
        return self._meter.drain()

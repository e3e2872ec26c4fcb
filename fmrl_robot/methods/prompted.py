"""What methods share that ask a model for a whole plan in one prompt.

A method says what its plans look like (a grammar and a guide) and how an answer is read; asking,
metering, repairs and refusing the wrong robot are the same for all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from fmrl_robot.card import MethodCard
from fmrl_robot.errors import ConfigError, ErrorCode, FmrlError
from fmrl_robot.fm import load_language_model
from fmrl_robot.planners.prompting import PlanAsker
from fmrl_robot.planning import Context, Step
from fmrl_robot.registry import METHODS
from fmrl_robot.robots import robot as get_robot
from fmrl_robot.types import Plan, Scene, Usage


def check_fits(card: MethodCard, robot: str) -> None:
    """Refuse a robot that a method does not plan for.

    Raises:
        ConfigError: it is of another kind.
    """
    kind = get_robot(robot).kind
    if kind not in card.robots:
        others = " or ".join(n for n in METHODS.names() if kind in _kinds(n))
        raise ConfigError(
            f"expected a robot of kind {' or '.join(card.robots)} for {card.name}, "
            f"got {robot!r} of kind {kind}; choose {others or 'another method'}",
            ErrorCode.METHOD_UNKNOWN,
        )


def _kinds(method: str) -> tuple[str, ...]:
    """Kinds of robot that a method plans for; none of one that cannot be loaded."""
    try:
        return getattr(getattr(METHODS.load(method), "card", None), "robots", ())
    except (ImportError, AttributeError, FmrlError):
        return ()


class PromptedPlanner(ABC):
    """A Planner that gives a whole plan each time it is asked."""

    card: ClassVar[MethodCard]

    def __init__(
        self, model: Any | None = None, *, language_model: str = "embedded",
        temperature: float = 0.0, seed: int = 0,
    ) -> None:  # fmt: skip
        """Build the planner.

        Args:
            model: a model that Generates; None loads ``language_model``.
            language_model: name for fm.load_language_model.
            temperature: of the first answer; repairs are sampled.
            seed: of sampling.

        Raises:
            ConfigError: the model lacks a capability or cannot be loaded.
        """
        self.asker = PlanAsker(
            load_language_model(language_model) if model is None else model,
            method=self.card.name, grammar=self.grammar, kind=self.card.robots[0],
            guide=self.guide(), temperature=temperature, seed=seed,
        )  # fmt: skip
        self.instruction = ""

    # --- what a method says -----------------------------------------------------------------------

    @abstractmethod
    def grammar(self, scene: Scene) -> str:
        """The grammar of an answer in a scene, as fm.grammar reads it."""

    @abstractmethod
    def guide(self) -> str:
        """What a model is told that was not trained on this grammar: rules and examples."""

    @abstractmethod
    def read(self, answer: str, scene: Scene) -> Plan:
        """Make a plan of an answer.

        Raises:
            Retryable: it is malformed; the message says what was expected.
            Terminal: it is a refusal, or it means nothing in this scene.
        """

    # --- Planner ----------------------------------------------------------------------------------

    def reset(self, instruction: str, robot: str) -> None:
        """Begin a task; see Planner.

        Raises:
            Terminal: the instruction is empty, too long or in no language of the model.
            ConfigError: the robot is of a kind that the method does not plan for.
        """
        check_fits(self.card, robot)
        self.instruction = self.asker.reset(instruction)

    def propose(self, context: Context) -> Plan:
        """Ask for a plan; see Planner."""
        scene = context.scene
        return self.read(self.asker.ask(self.instruction, scene, context.news), scene)

    def observe(self, step: Step) -> None:
        """Remember that the plan was good enough to be tried."""
        self.asker.accepted()

    def usage(self) -> Sequence[Usage]:
        """What was asked of the model since the last call."""
        return self.asker.usage()

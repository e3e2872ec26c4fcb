"""An instruction for a quadruped, read: its clauses, and what each wants of what it mentions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fmrl_robot.plancheck.intent.quadruped_words import Mention

Status = Literal["ask", "ban", "aside", "background", "withdrawn"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Clause:
    """A stretch of the instruction that asks, forbids, or only tells."""

    status: Status
    mentions: tuple[Mention, ...]
    text: str
    follows: bool
    """What it asks for comes in a later segment than what was asked before."""
    sentence: int
    sign: str
    """The kind of mention or the word that opened it."""
    opener: str
    """The words of that mention."""
    firm: bool = True
    """It commands beyond doubt; what a doubtful one mentions may be in the plan and need not."""

    def of(self, *kinds: str) -> tuple[Mention, ...]:
        """Return its mentions of some kinds."""
        return tuple(m for m in self.mentions if m.kind in kinds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """An instruction, read."""

    text: str
    clauses: tuple[Clause, ...]
    ordered: bool
    """Segments come in the order of the clauses; False: nobody could tell."""

    def asked(self) -> tuple[Clause, ...]:
        """Return the clauses that ask for something."""
        return tuple(c for c in self.clauses if c.status == "ask")

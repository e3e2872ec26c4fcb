"""The ablation that every system of the survey carries: its experiment as a value.

Arms, budget, measures and bars are written before the experiment is run, where the system itself is
written. ``fmrl reproduce`` runs it (fmrl_robot/reproduce) and a test holds the published page
against it, so that a bar cannot move after the run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Value = str | int | float | bool
"""Of a setting or an amount."""
LIMIT_MINUTES = 60.0
"""Of a full run, on two cores."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """One way to run the experiment."""

    name: str
    words: str
    """What it does, for the page."""
    settings: Mapping[str, Value] = field(default_factory=dict[str, Value])
    """What the trial is told."""
    control: bool = False
    """It must fail: that it does shows that the measure can tell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """A figure that every trial gives, or one a task."""

    name: str
    words: str
    unit: str = ""
    """SI; empty for shares and counts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """What must come out: a measure of one arm, or its lead over another's, against a value.

    Judged by the worse end of the 95 % interval, so a lucky estimate clears nothing.
    """

    words: str
    measure: str
    arm: str
    against: str = ""
    """Arm whose figure is taken off; empty: the figure itself counts."""
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(
                f"expected either at_least or at_most of the bar {self.words!r}, got "
                f"{self.at_least!r} and {self.at_most!r}; state two bars for two bounds"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """A figure over the course of a trial, such as success over environment steps."""

    x: tuple[float, ...]
    """Rising, shape (n,)."""
    y: tuple[float, ...]
    """Shape (n,)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What one trial came to."""

    scores: Mapping[str, float | Mapping[str, float]]
    """By measure: a number, or one for each task by name."""
    curves: Mapping[str, Curve] = field(default_factory=dict[str, Curve])
    """By name."""
    model: str = ""
    """Foundation model that answered, as it names itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What a trial may use."""

    amounts: Mapping[str, Value]
    """The ablation's ``full`` or ``quick``."""
    folder: Path
    """Kept when the trial is killed; what it leaves there it may go on from."""
    threads: int = 1
    report: Callable[[str], None] = lambda _: None
    """Hears how it goes, a line now and then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ablation:
    """The experiment that shows a system's effect."""

    question: str
    paper: str
    """What the paper claims, with its figures."""
    environment: str
    """Where it is tried here, and with which model."""
    trial: str
    """``module:function``, called as ``(settings, seed, budget) -> Measured`` for each arm and
    seed, each in a process of its own."""
    arms: tuple[Arm, ...]
    measures: tuple[Measure, ...]
    bars: tuple[Bar, ...]
    """The first is the system's effect, told in the index."""
    full: Mapping[str, Value]
    """Amounts of a full run: at most LIMIT_MINUTES on two cores."""
    quick: Mapping[str, Value]
    """Amounts of a run of at most ten seconds, all arms together, that shows only that it works."""
    seeds: int = 5
    fewer_seeds: Mapping[str, int] = field(default_factory=dict[str, int])
    """Of arms, by name, that take too long for as many."""
    first_seed: int = 100
    """Of a full run; those below are for trying things out."""
    differs: tuple[str, ...] = ()
    """What is not as in the paper, one sentence each."""
    curve: tuple[str, str] = ("", "")
    """Names of the x and y axis of the trial's curves."""

    def __post_init__(self) -> None:
        arms, measures = [a.name for a in self.arms], [m.name for m in self.measures]
        for names in (arms, measures):
            if len(set(names)) < len(names):
                raise ValueError(f"expected each name once, got {names!r}; rename one")
        for bar in self.bars:
            unknown = {bar.arm, bar.against} - {*arms, ""}
            if unknown or bar.measure not in measures:
                raise ValueError(
                    f"expected the bar {bar.words!r} to be on arms of {arms} and a measure of "
                    f"{measures}, got {bar.arm!r}, {bar.against!r}, {bar.measure!r}; correct it"
                )

    def statement(self) -> dict[str, Any]:
        """All that is written here, as JSON has it."""
        return json.loads(json.dumps(asdict(self)))

    def digest(self) -> str:
        """Tells apart experiments; words about one may be corrected after its run."""
        fixed = _without_words(self.statement())
        return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()[:16]


_WORDS = {
    "question", "paper", "environment", "words", "unit", "differs", "curve", "quick", "fewer_seeds",
}  # fmt: skip
"""What bears on no figure; of how many seeds a figure is stands beside it."""


def _without_words(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_words(v) for k, v in value.items() if k not in _WORDS}
    return [_without_words(v) for v in value] if isinstance(value, list) else value

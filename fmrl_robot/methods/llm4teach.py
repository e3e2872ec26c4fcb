"""LLM4Teach: a language model's distribution over skills teaches a small policy, less and less.

Reference: Zhou, Hu, Zhao, Li, Wang, Liu, Yuan, Qiu, Xu, "Large Language Model as a Policy Teacher
for Training Reinforcement Learning Agents", IJCAI 2024.
Inputs: facts as numbers and the words of an instruction (student), a transcript (teacher).
Outputs: one of the phrases that may be chosen; once it has learned, no language model is asked.

What differs from the paper: see ``METHOD.differs``.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor

from fmrl_robot.ablation import Ablation, Arm, Bar, Measure
from fmrl_robot.agents import Histories, SymbolicAgent, SymbolicConfig, taught
from fmrl_robot.card import MethodCard
from fmrl_robot.fm import load_language_model, require
from fmrl_robot.planners.chores import transcript

if TYPE_CHECKING:
    from fmrl_robot.types import SkillStep

METHOD = MethodCard(
    name="llm4teach",
    reference="Zhou et al., Large Language Model as a Policy Teacher for Training Reinforcement "
    "Learning Agents, IJCAI 2024",
    role="planner",
    robots=("arm",),
    protocols=("Agent",),
    needs=("Scores",),
    differs=(
        "The teacher's distribution is how likely the model thinks each phrase to be next, once "
        "for each prompt; the paper counts the plans of ten samples.",
        "The student chooses skills, not primitive actions.",
        "The weight of the teacher falls linearly to nothing at half of the training.",
    ),
    ablation="PPO alone, and teachers annealed, constant, hard, and wrong in a fifth of prompts",
)
MODEL = "transformers:policies/lm-prior"

ABLATION = Ablation(
    question="Does a language model that is asked for its distribution make a small policy learn "
    "in fewer steps, and does the policy come to exceed its teacher?",
    paper="On four MiniGrid tasks and a Habitat pick the student needs far fewer samples than PPO "
    "and exceeds its teacher; there are curves and no table.",
    environment="Chores in the words of lm-prior (cupboard, two things, bell), without physics; in "
    "15 % of them the bell has to be rung before the door opens, which nobody sees and the teacher "
    "would do last. Success by the world's own goal, in 64 worlds that were not practised in",
    trial="fmrl_robot.reproduce.trials.llm4teach:trial",
    arms=(
        Arm(name="annealed", words="a teacher whose weight falls to nothing at half of the time",
            settings={"weight": 1.0}),
        Arm(name="alone", words="PPO without a teacher", settings={"weight": 0.0}),
        Arm(name="constant", words="a teacher that always counts the same",
            settings={"weight": 1.0, "until": 0.0}),
        Arm(name="hard", words="annealed; the likeliest phrase instead of the distribution",
            settings={"weight": 1.0, "kind": "hard"}),
        Arm(name="wrong 20 %", words="annealed; at a fifth of the prompts it names any phrase",
            settings={"weight": 1.0, "wrong": 0.2}),
        Arm(name="any phrase", words="annealed; it names any phrase at every prompt",
            settings={"weight": 1.0, "wrong": 1.0}, control=True),
    ),
    measures=(
        Measure(name="decisions", words="decisions to 80 % success (all of them where never)"),
        Measure(name="success", words="success in the end"),
        Measure(name="above", words="student minus teacher, success in the end"),
        Measure(name="asked", words="prompts that the teacher was asked"),
    ),
    bars=(
        Bar(words="Decisions to 80 %, PPO alone minus annealed teacher", measure="decisions",
            arm="alone", against="annealed", at_least=2000.0),
        Bar(words="decisions to 80 %, annealed teacher", measure="decisions", arm="annealed",
            at_most=1500.0),
        Bar(words="decisions to 80 %, PPO alone (three times as many)", measure="decisions",
            arm="alone", at_least=4500.0),
        Bar(words="success in the end, student minus its teacher", measure="above",
            arm="annealed", at_least=0.05),
        Bar(words="success in the end, annealed minus constant", measure="success",
            arm="annealed", against="constant", at_least=-0.05),
        Bar(words="decisions to 80 %, PPO alone minus a teacher that errs in a fifth",
            measure="decisions", arm="alone", against="wrong 20 %", at_least=1000.0),
        Bar(words="the same, any phrase minus annealed", measure="decisions", arm="any phrase",
            against="annealed", at_least=2000.0),
    ),
    full={"decisions": 8192, "steps": 8, "looks": 64, "looks_every": 4},
    quick={"decisions": 64, "steps": 8, "looks": 2, "looks_every": 1},
    differs=(
        *METHOD.differs,
        "The teacher has 1.9 million parameters and knows chores of this kind, not this place.",
        "Student, world and budget are this project's.",
    ),
    curve=("decisions", "success"),
)  # fmt: skip


class Teacher:
    """What a language model would do next, asked once for each prompt."""

    def __init__(
        self, model: Any, *, hard: bool = False, wrong: float = 0.0, seed: int = 0
    ) -> None:
        """Take a model.

        Args:
            model: with Scores.
            hard: whether it names one phrase instead of a distribution.
            wrong: share of prompts at which it names any phrase, always the same.
            seed: of which and what.
        """
        self._model, self._hard, self._wrong, self._seed = model, hard, wrong, seed
        self._histories = Histories()
        self._known: dict[tuple[str, tuple[str, ...]], Tensor] = {}

    @property
    def asked(self) -> int:
        """Prompts that the model was asked."""
        return len(self._known)

    def begin(self, now: SkillStep) -> None:
        """Worlds are at their beginning."""
        self._histories.begin(now)

    def observe(self, phrases: list[str], now: SkillStep) -> None:
        """Hear what was done."""
        self._histories.observe(phrases, now)

    def __call__(self, now: SkillStep) -> Tensor:
        """Chance of each phrase, (worlds, phrases); of those that are not admissible none."""
        rows: list[Tensor] = []
        for text, walk, view in zip(
            now.instructions, self._histories.walks, now.views, strict=True
        ):
            prompt = transcript(text, walk.first.facts, walk.phrases)
            numbers = np.flatnonzero(view.admissible)
            row = torch.zeros(len(view.phrases))
            row[numbers] = self._chances(prompt, tuple(view.phrases[k] for k in numbers))
            rows.append(row)
        return torch.stack(rows)

    def _chances(self, prompt: str, phrases: tuple[str, ...]) -> Tensor:
        key = (prompt, phrases)
        if key not in self._known:
            (scores,) = self._model.score([prompt], [[f" {p}" for p in phrases]])
            chances = torch.softmax(torch.as_tensor(scores.sums, dtype=torch.float32), dim=0)
            rng = random.Random(f"{self._seed} {prompt}")  # noqa: S311
            if rng.random() < self._wrong:
                chances = _one(rng.randrange(len(phrases)), len(phrases))
            elif self._hard:
                chances = _one(int(chances.argmax()), len(phrases))
            self._known[key] = chances
        return self._known[key]


def _one(number: int, count: int) -> Tensor:
    return torch.nn.functional.one_hot(torch.tensor(number), count).float()


@dataclass(frozen=True, kw_only=True, slots=True)
class Guidance:
    """How much the teacher counts."""

    weight: float = 1.0
    """Of the cross-entropy at first; 0: PPO alone."""
    until: float = 0.5
    """Share of the training at which it has fallen to nothing; 0: it never falls."""
    kind: Literal["soft", "hard"] = "soft"
    wrong: float = 0.0
    """Share of prompts at which the teacher errs."""

    def at(self, progress: float) -> float:
        """Weight when a share of the training is over."""
        return self.weight * max(0.0, 1.0 - progress / self.until) if self.until else self.weight


class LLM4Teach(SymbolicAgent):
    """An Agent."""

    card = METHOD
    ablation = ABLATION

    def __init__(
        self, model: Any | None = None, *, language_model: str = MODEL,
        config: SymbolicConfig | None = None, guidance: Guidance | None = None, seed: int = 0,
    ) -> None:  # fmt: skip
        """Build the agent.

        Args:
            model: the teacher's, that Scores; None loads ``language_model``.
            language_model: name for fm.load_language_model.
            config: of the student.
            guidance: how much the teacher counts.
            seed: of choices and of learning.

        Raises:
            ConfigError: the model lacks a capability or cannot be loaded.
        """
        super().__init__(config, seed)
        model = load_language_model(language_model) if model is None else model
        require(model, "Scores", by=METHOD.name)
        self.guidance = guidance or Guidance()
        self.teacher = Teacher(
            model, hard=self.guidance.kind == "hard", wrong=self.guidance.wrong, seed=seed
        )

    @property
    def weight(self) -> float:
        """How much the teacher counts now."""
        return self.guidance.at(self.decided / self.config.decisions)

    def begin(self, now: SkillStep) -> None:
        """Face worlds at their beginning; see Agent."""
        super().begin(now)
        self.teacher.begin(now)

    def act(self, now: SkillStep, *, greedy: bool = False) -> list[int]:
        """Choose among what is admissible; see Agent."""
        chosen = super().act(now, greedy=greedy)
        self._phrases = [v.phrases[c] for v, c in zip(now.views, chosen, strict=True)]
        return chosen

    def observe(self, now: SkillStep) -> None:
        """Hear what came of it; see Agent."""
        super().observe(now)
        self.teacher.observe(self._phrases, now)

    def further(self, now: SkillStep) -> dict[str, Tensor]:
        """What the teacher would do, as long as it counts."""
        return {"teacher": self.teacher(now)} if self.weight else {}

    def losses(self) -> list[Any]:
        """The divergence of the student from the teacher."""
        return [taught(self.weight)] if self.weight else []

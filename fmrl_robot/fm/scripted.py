"""An oracle that answers from a table, with dials for what is wrong with real models.

It understands nothing: what it proves is the mechanism around it. Every draw depends on the
oracle's seed and on the question alone (with the question's seed, where that samples), so that the
order of questions changes no answer, and generating and scoring tell of the same beliefs.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from annotated_types import Ge, Le

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.fm.capabilities import reads_text_only
from fmrl_robot.fm.constraints import first_stop
from fmrl_robot.fm.strict_json import loads
from fmrl_robot.fm.usage import prompt_sha256
from fmrl_robot.settings import Amount, build
from fmrl_robot.types import Completion, ContinuationScores, Usage

Options = str | Mapping[str, float]
"""One valid answer, or several with their weights."""
Answer = Options | Callable[[str], Options]
"""Given, or found from what the oracle sees of the prompt."""
Key = str | tuple[str, ...]
"""What a prompt has to hold, all of it, to be given an answer."""

SCENE = r"Objects: [^\n]*\nFacts:\n(?:- [^\n]*\n?)*"
"""The scene's section of a prompt, as planners.prompting.describe_scene writes it."""
UNLIKELY = -30.0
"""Log-probability of whatever the oracle would not say."""

Share = Annotated[float, Ge(0), Le(1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Dials:
    """What is wrong with an oracle."""

    error_rate: Share = 0.0
    """Share of questions to which it gives a wrong answer."""
    wrong: tuple[str, ...] = ("refuse(impossible)",)
    """The wrong answers, drawn from evenly."""
    blindness: Share = 0.0
    """Share of questions that it answers as if the scene's section of the prompt were absent."""
    spread: Amount = 1.0
    """Temperature of its beliefs in several valid answers: at 1 their weights, at 0 only the
    heaviest, beyond 1 flatter."""
    latency_s: Amount = 0.0
    """How long it takes over a question, s."""
    seed: int = 0
    """Of its draws."""


class ScriptedLM:
    """Generates and Scores from a table. It is held to no grammar and sees no pictures."""

    def __init__(
        self,
        answers: Mapping[Key, Answer] | Mapping[str, Answer],
        *,
        scene: str = SCENE,
        model_id: str = "scripted",
        **dials: Any,
    ) -> None:
        """Build it.

        Args:
            answers: by what a prompt has to hold; the longest key that fits answers.
            scene: regular expression of what a blind oracle does not see of a prompt.
            model_id: name; give tables of their own names before their answers are cached.
            dials: the fields of Dials.

        Raises:
            ConfigError: a dial is unknown or out of its range.
        """
        self.model_id = model_id
        self.dials = build(Dials, dials, "the dials of a scripted model")
        self._answers = {_parts(key): answer for key, answer in answers.items()}
        self._scene = re.compile(scene)
        self.prompts: list[str] = []
        """Every prompt it was asked, for tests to look at."""

    def generate(
        self,
        prompt: str,
        *,
        n: int = 1,
        grammar: str | None = None,
        schema: Mapping[str, Any] | None = None,
        stop: Sequence[str] = (),
        max_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        logprobs: bool = False,
        images: Sequence[Any] = (),
        role: str = "plan",
    ) -> tuple[Completion, ...]:
        """Answer ``n`` times; see Generates. With ``logprobs`` each answer is a single token.

        Raises:
            ConfigError: the table has no answer, or there are images.
        """
        del grammar, schema, max_tokens, top_p
        if len(images):
            raise reads_text_only(self.model_id)
        began = time.monotonic()
        seen = self._asked(prompt)
        said: list[tuple[str, float]] = []
        for index in range(n):
            draw = (seed, index) if temperature > 0 else ()
            beliefs = self._beliefs(seen, draw)
            text = _draw(beliefs, temperature, self._random("answer", seen, *draw))
            said.append((text, math.log(beliefs[text])))
        usage = self._usage(prompt, " ".join(t for t, _ in said), role, began,
                            seed if temperature > 0 else 0)  # fmt: skip
        return tuple(
            Completion(
                text=text[: first_stop(text, stop)],
                usage=usage,
                token_logprobs=(belief,) if logprobs else (),
            )
            for text, belief in said
        )

    def score(
        self,
        prompts: Sequence[str],
        continuations: Sequence[Sequence[str]],
        *,
        images: Sequence[Sequence[Any]] = (),
        role: str = "score",
    ) -> list[ContinuationScores]:
        """Log-probability of each continuation, as a single token, at temperature 1; see Scores.

        An oracle that errs believes in one of the continuations that are not valid.

        Raises:
            ConfigError: the table has no answer, or there are images.
        """
        if any(map(len, images)):
            raise reads_text_only(self.model_id)
        return [
            self._score(prompt, offered, role)
            for prompt, offered in zip(prompts, continuations, strict=True)
        ]

    def _score(self, prompt: str, offered: Sequence[str], role: str) -> ContinuationScores:
        began = time.monotonic()
        seen = self._asked(prompt)
        beliefs = self._beliefs(seen, (), [c.strip() for c in offered])
        logs = [math.log(p) if (p := beliefs.get(c.strip(), 0.0)) else UNLIKELY for c in offered]
        return ContinuationScores(
            token_logprobs=tuple((value,) for value in logs),
            words=tuple(len(c.split()) for c in offered),
            usage=self._usage(prompt, " ".join(offered), role, began, 0),
        )

    def _asked(self, prompt: str) -> str:
        """Take a question in; return what is seen of it."""
        self.prompts.append(prompt)
        time.sleep(self.dials.latency_s)
        blind = self._random("sight", prompt).random() < self.dials.blindness
        return self._scene.sub("", prompt) if blind else prompt

    def _beliefs(
        self, seen: str, draw: Sequence[int], offered: Sequence[str] | None = None
    ) -> dict[str, float]:
        """Probabilities of the answers that it would give, greater than 0."""
        right = _spread(self._options(seen), self.dials.spread)
        chance = self._random("error", seen, *draw)
        if chance.random() >= self.dials.error_rate:
            return right
        wrong: Sequence[str] = self.dials.wrong
        if offered is not None and not set(wrong) & set(offered):
            wrong = [c for c in dict.fromkeys(offered) if c not in right]
        return {chance.choice(wrong): 1.0} if wrong else right

    def _options(self, seen: str) -> Mapping[str, float]:
        fitting = [key for key in self._answers if all(part in seen for part in key)]
        if not fitting:
            raise ConfigError(
                f"expected a scripted answer for {seen[-120:]!r}, the table has "
                f"{len(self._answers)} others; add one",
                ErrorCode.MODEL_UNAVAILABLE,
            )
        answer = self._answers[max(fitting, key=lambda key: sum(map(len, key)))]
        options = answer(seen) if callable(answer) else answer
        return {options: 1.0} if isinstance(options, str) else options

    def _random(self, *what: object) -> random.Random:
        text = json.dumps([self.dials.seed, *what])
        return random.Random(hashlib.sha256(text.encode()).digest())  # noqa: S311

    def _usage(self, prompt: str, answer: str, role: str, began: float, seed: int) -> Usage:
        return Usage(
            role=role,
            model=self.model_id,
            prompt_sha256=prompt_sha256(prompt),
            seed=seed,
            prompt_tokens=len(re.findall(r"\w+", prompt)),
            completion_tokens=len(re.findall(r"\w+", answer)),
            latency_s=time.monotonic() - began if self.dials.latency_s else 0.0,
        )


def _parts(key: Key) -> tuple[str, ...]:
    return (key,) if isinstance(key, str) else key


def _spread(options: Mapping[str, float], spread: float) -> dict[str, float]:
    """Weights to the power of 1 / spread, normalised; spread 0 leaves the first of the heaviest."""
    heaviest = max(options, key=lambda text: options[text])
    if spread == 0:
        return {heaviest: 1.0}
    raised = {t: (w / options[heaviest]) ** (1 / spread) for t, w in options.items() if w > 0}
    total = sum(raised.values())
    return {text: weight / total for text, weight in raised.items() if weight > 0}


def _draw(beliefs: Mapping[str, float], temperature: float, chance: random.Random) -> str:
    tempered = _spread(beliefs, temperature)
    return chance.choices(list(tempered), list(tempered.values()))[0]


def load_language_model(name: str) -> ScriptedLM:
    """Load a table, with or without dials, from a JSON or YAML file.

    Either the answers by what a prompt has to hold, or a mapping of ``answers`` and the fields of
    Dials. ``answers`` may also be a list of ``when`` (a text or several) and ``answer`` (a text, or
    several with their weights).

    Raises:
        ConfigError: the file cannot be read, or holds something else.
    """
    try:
        raw = Path(name).read_bytes()
        text = raw.decode()
        content = loads(text) if name.endswith(".json") else yaml.safe_load(text)
        dials = dict(content if "answers" in content else {"answers": content})
        answers = _read_answers(dials.pop("answers"))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError) as error:
        raise ConfigError(
            "expected scripted:<JSON or YAML file of answers by what a prompt holds>, got "
            f"{name!r}: {error!r}; write one such as {{'red cube': 'put(red_cube,bowl)'}}",
            ErrorCode.MODEL_UNAVAILABLE,
        ) from error
    digest = hashlib.sha256(raw).hexdigest()[:12]
    return ScriptedLM(answers, model_id=f"scripted:{Path(name).name}@{digest}", **dials)


def _read_answers(listed: Any) -> dict[Key, Answer]:
    entries: list[tuple[Key, Any]]
    if isinstance(listed, Mapping):
        entries = [(str(key), answer) for key, answer in listed.items()]
    else:
        entries = [(_when(entry["when"]), entry["answer"]) for entry in listed]
    if not entries:
        raise ValueError("expected answers, got none")
    return {key: _options_of(answer) for key, answer in entries}


def _when(told: Any) -> Key:
    return told if isinstance(told, str) else tuple(map(str, told))


def _options_of(told: Any) -> Options:
    if isinstance(told, str):
        return told
    options = {str(text): float(weight) for text, weight in told.items()}
    weights = options.values()
    if not weights or not all(0 <= w < math.inf for w in weights) or not any(weights):
        raise ValueError(f"expected answers with positive weights, got {told!r}")
    return options

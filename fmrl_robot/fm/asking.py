"""What stands before any model: answers that are known already, a budget, and a meter.

The wrapper offers exactly what its model offers, so that a check for a capability sees through it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from fmrl_robot.errors import ConfigError
from fmrl_robot.fm import questions
from fmrl_robot.fm.budget import FREE, Budget, Cost, worst_case
from fmrl_robot.fm.disk_cache import DiskCache
from fmrl_robot.fm.questions import Question
from fmrl_robot.types import Completion, ContinuationScores, FloatBatch, Image

_UNREADABLE = (KeyError, TypeError, ValueError)
"""What reading an answer raises that somebody else wrote in another form."""
_EMBEDDED_BY: Mapping[str, Callable[[str, Any], Question]] = {
    "embed_texts": questions.text_embedding,
    "embed_images": questions.image_embedding,
    "embed_clips": questions.clip_embedding,
}
_CHANGING = ("add_adapter", "load_adapter", "adapter", "trainable")
"""After these the same model answers differently."""


class Store(Protocol):
    """Where answers are kept: a cache, a cassette."""

    def get(self, question: Question) -> Any:
        """The answer, or None."""
        ...

    def put(self, question: Question, answer: Any) -> None:
        """Keep an answer."""
        ...


class Asked:
    """A model whose answers are remembered and paid for. As thread-safe as the model."""

    def __init__(
        self, model: Any, *, cache: Store | None = None, budget: Budget | None = None
    ) -> None:
        """Stand before a model.

        Args:
            model: any; what it lacks, this lacks too.
            cache: where answers are looked up and kept; None: nowhere.
            budget: what may be spent; None: anything, and only counted.

        Raises:
            ConfigError: the budget has a limit in US dollars and nobody knows the model's prices.
        """
        self._model = model
        self.cache = cache
        self.budget = budget or Budget()
        """Its ``spent`` is the meter."""
        if self.budget.limits["usd"] is not None and getattr(model, "prices", FREE) is None:
            raise ConfigError(
                f"expected prices for a budget in usd, {model.model_id} has none; name them as "
                "?input_usd=...&output_usd=... (dollars for a million tokens) behind the model"
            )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_model":
            raise AttributeError(name)
        offered = getattr(self._model, name)
        if name == "generate":
            return self._generate
        if name == "score":
            return self._score
        if name in _EMBEDDED_BY:
            return partial(self._embed, name)
        return partial(self._changing, offered) if name in _CHANGING else offered

    def __repr__(self) -> str:
        return f"Asked({self._model!r})"

    def _changing(self, offered: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Forget the cache for good: no key would tell the answers of changed weights apart."""
        self.cache = None
        return offered(*args, **kwargs)

    def _generate(
        self, prompt: str, *, role: str = "plan", **arguments: Any
    ) -> tuple[Completion, ...]:
        question = questions.generation(self._model.model_id, prompt, arguments)
        known = self._known(question, lambda a: questions.read_completions(a, role))
        if known is not None:
            return known
        n, images = arguments.get("n", 1), len(arguments.get("images", ()))
        prices = getattr(self._model, "prices", FREE)
        longest = getattr(self._model, "max_tokens", None) or arguments.get("max_tokens", 256)
        worst = worst_case(prompt, n, longest, images, prices)
        with self.budget.question(worst) as charge:
            completions = self._model.generate(prompt, role=role, **arguments)
            charge.settle(Cost.of(completions[0].usage))
        self._keep(question, questions.write_completions(completions))
        return completions

    def _score(
        self,
        prompts: Sequence[str],
        continuations: Sequence[Sequence[str]],
        *,
        images: Sequence[Sequence[Image]] = (),
        role: str = "score",
    ) -> list[ContinuationScores]:
        rows = list(zip(prompts, continuations, images or [()] * len(prompts), strict=True))
        asked = [questions.scoring(self._model.model_id, *row) for row in rows]

        def ask(places: Sequence[int]) -> list[ContinuationScores]:
            some, tails, seen = zip(*(rows[i] for i in places), strict=True)
            worst = Cost(calls=len(places), tokens=sum(_most_tokens(*rows[i]) for i in places))
            pictures = {"images": seen} if any(map(len, seen)) else {}
            with self.budget.question(worst) as charge:
                scores = self._model.score(some, tails, role=role, **pictures)
                charge.settle(sum((Cost.of(s.usage) for s in scores), Cost()))
            return scores

        return self._batch(
            asked, ask, read=lambda a: questions.read_scores(a, role), write=questions.write_scores
        )

    def _embed(self, method: str, inputs: Sequence[Any]) -> FloatBatch:
        embed = getattr(self._model, method)
        if not len(inputs):
            return embed(inputs)

        def ask(places: Sequence[int]) -> Sequence[Any]:
            began = time.monotonic()
            with self.budget.question(Cost(calls=1)) as charge:
                vectors = embed([inputs[i] for i in places])
                charge.settle(Cost(calls=1, seconds=time.monotonic() - began))
            return vectors

        asked = [_EMBEDDED_BY[method](self._model.model_id, thing) for thing in inputs]
        return np.stack(self._batch(asked, ask, read=_vector, write=lambda v: v))

    def _batch(
        self,
        asked: Sequence[Question],
        ask: Callable[[Sequence[int]], Sequence[Any]],
        *,
        read: Callable[[Any], Any],
        write: Callable[[Any], Any],
    ) -> list[Any]:
        """Answer many questions, and ask the model only what is not known, each thing once.

        Who asks the same thing again is answered as from a cache, or its cost would count twice.
        """
        answers: dict[str, Any] = {}
        missing: dict[str, int] = {}
        for place, question in enumerate(asked):
            key = question.key
            if key in answers or key in missing:
                continue
            known = self._known(question, read)
            if known is None:
                missing[key] = place
            else:
                answers[key] = known
        if missing:
            places = list(missing.values())
            for place, answer in zip(places, ask(places), strict=True):
                answers[asked[place].key] = answer
                self._keep(asked[place], write(answer))
        return [
            read(write(answers[question.key]))
            if missing.get(question.key, place) != place
            else answers[question.key]
            for place, question in enumerate(asked)
        ]

    def _known(self, question: Question, read: Callable[[Any], Any]) -> Any:
        found = None if self.cache is None else self.cache.get(question)
        try:
            return None if found is None else read(found)
        except _UNREADABLE:
            return None

    def _keep(self, question: Question, answer: Any) -> None:
        if self.cache is not None:
            self.cache.put(question, answer)


def guarded(model: Any, cache: Path | None = None, budget: Budget | None = None) -> Any:
    """Put a disk cache and a budget before a model; without either the model itself.

    Args:
        model: any language or vision model.
        cache: folder of the answers; a cassette is its own cache and gets none.
        budget: what may be spent.

    Raises:
        ConfigError: see Asked.
    """
    kept = isinstance(model, Asked) and model.cache is not None
    store = None if cache is None or kept else DiskCache(cache)
    if store is None and budget is None:
        return model
    return Asked(model, cache=store, budget=budget)


def _vector(found: Any) -> FloatBatch:
    return np.asarray(found, np.float32)


def _most_tokens(prompt: str, continuations: Sequence[str], images: Sequence[Image]) -> int:
    asked = worst_case(prompt, 0, 0, len(images), FREE).tokens
    return asked + sum(len(c.encode()) for c in continuations)

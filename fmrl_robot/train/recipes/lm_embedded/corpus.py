"""The whole corpus: both robots, typed by people, without the held-out test sentences.

The tests' sentences themselves are never read here: held_out.json keeps only their fingerprints,
and what has one of them is dropped, so that even the most natural order ("open the drawer") is new
to the model when it is tested.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.resources import files

from fmrl_robot.planners import plan_language
from fmrl_robot.planners.step_words import DONE, next_prompt, say_steps
from fmrl_robot.train.recipes.lm_embedded import (
    arm_banked,
    arm_corpus,
    arm_phenomena,
    quadruped_banked,
    quadruped_corpus,
    quadruped_phenomena,
    quadruped_places,
)
from fmrl_robot.train.recipes.lm_embedded.banks import TALK_SHARE, wrapped
from fmrl_robot.train.recipes.lm_embedded.phrases import type_like_a_person

ARM_SHARE = 0.6
HARD_SHARE, BANKED_SHARE = 0.45, 0.35
"""Shares of sentences from banks of whole phrases, those of what is hard apart; the others grow from
templates."""
NEXT_SHARE, WORDS_SHARE = 0.10, 0.06
"""Of the arm's sentences: shares that ask for the next step only, and for a list in words."""
FAILED_SHARE = 0.15
"""How often a step of the history failed before it succeeded, or failed last."""
MAX_CHARS = 280


def fingerprint(text: str) -> str:
    """Hash a sentence without its case, punctuation and spacing."""
    words = re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()
    return hashlib.sha256(words.encode()).hexdigest()


def held_out() -> frozenset[str]:
    """Fingerprints of the sentences that no corpus may contain."""
    file = files("fmrl_robot.train.recipes.lm_embedded").joinpath("held_out.json")
    return frozenset(json.loads(file.read_text("utf-8")))


def examples(
    seed: int, arm_share: float = ARM_SHARE, places: float = 0.0
) -> Iterator[tuple[str, str, str]]:
    """Yield kind of prompt, instruction and answer, without end.

    Args:
        seed: of the draws.
        arm_share: for the arm.
        places: share of the quadruped's that go to places, turn, walk distances or take postures;
            with any of them, what they make possible is not refused elsewhere.
    """
    rng = random.Random(seed)  # noqa: S311
    forbidden = held_out()
    while True:
        arm = rng.random() < arm_share
        text, steps = _draw(rng, arm, places)
        if places and not arm and steps[0].startswith("refuse") and quadruped_places.possible(text):
            continue
        clean = re.sub(r" ([,.;!?])", r"\1", " ".join(text.split()))
        text = type_like_a_person(clean, rng)
        # Neither the sentence of a test nor what typing makes of it.
        if len(text) > MAX_CHARS or {fingerprint(clean), fingerprint(text)} & forbidden:
            continue
        chance = rng.random()
        if arm and chance < NEXT_SHARE:
            yield "next", *_next(text, steps, rng)
        elif arm and chance < NEXT_SHARE + WORDS_SHARE:
            yield "steps", text, _in_words(steps)
        else:
            yield "arm" if arm else "quadruped", text, ";".join(steps)


def _draw(rng: random.Random, arm: bool, places: float = 0.0) -> tuple[str, Sequence[str]]:
    """One instruction, not yet typed by anybody, with its steps."""
    if places and not arm and rng.random() < places:
        return quadruped_places.draw(rng)
    source = rng.random()
    if source < HARD_SHARE:
        return (arm_phenomena if arm else quadruped_phenomena).draw(rng)
    if source < HARD_SHARE + BANKED_SHARE:
        return (arm_banked if arm else quadruped_banked).draw(rng)
    text, steps = (arm_corpus if arm else quadruped_corpus).draw(rng)
    return wrapped(text, "arm" if arm else "dog", rng, TALK_SHARE), steps


def vocabulary(seed: int = 5, draws: int = 40_000) -> list[str]:
    """The words of the corpus, sorted; of ``draws`` instructions those that more than one has."""
    rng = random.Random(seed)  # noqa: S311
    counts: Counter[str] = Counter()
    for _ in range(draws):
        text, _steps = _draw(rng, rng.random() < ARM_SHARE)
        counts.update(set(re.findall(r"[a-z]+", text.lower())))
    return sorted(word for word, count in counts.items() if count > 1)


def _next(text: str, steps: Sequence[str], rng: random.Random) -> tuple[str, str]:
    """Ask for one step of a plan, after some were done; one that failed is tried again."""
    if steps[0].startswith("refuse"):
        return next_prompt(text, ()), steps[0]
    done = rng.randrange(len(steps) + 1)
    history = [(step, True) for step in steps[:done]]
    for i in range(len(history) - 1, -1, -1):
        if rng.random() < FAILED_SHARE:
            history.insert(i, (history[i][0], False))
    if done < len(steps) and rng.random() < FAILED_SHARE:
        history.append((steps[done], False))
    return next_prompt(text, history), steps[done] if done < len(steps) else DONE


def _in_words(steps: Sequence[str]) -> str:
    text = ";".join(steps)
    return text if text.startswith("refuse") else say_steps(plan_language.parse(text))

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
from collections.abc import Iterator
from importlib.resources import files

from fmrl_robot.train.recipes.lm_embedded import arm_corpus, quadruped_corpus
from fmrl_robot.train.recipes.lm_embedded.phrases import type_like_a_person

ARM_SHARE = 0.6
MAX_CHARS = 240


def fingerprint(text: str) -> str:
    """Hash a sentence without its case, punctuation and spacing."""
    words = re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()
    return hashlib.sha256(words.encode()).hexdigest()


def held_out() -> frozenset[str]:
    """Fingerprints of the sentences that no corpus may contain."""
    file = files("fmrl_robot.train.recipes.lm_embedded").joinpath("held_out.json")
    return frozenset(json.loads(file.read_text("utf-8")))


def examples(seed: int, arm_share: float = ARM_SHARE) -> Iterator[tuple[str, str, str]]:
    """Yield robot kind, instruction and plan, without end; ``arm_share`` of them for the arm."""
    rng = random.Random(seed)  # noqa: S311
    forbidden = held_out()
    while True:
        arm = rng.random() < arm_share
        text, steps = (arm_corpus if arm else quadruped_corpus).draw(rng)
        text = type_like_a_person(" ".join(text.split()), rng)
        if len(text) <= MAX_CHARS and fingerprint(text) not in forbidden:
            yield "arm" if arm else "quadruped", text, ";".join(steps)


def prompt(kind: str, instruction: str) -> str:
    """The embedded model's prompt; the method that asks it writes the same."""
    return f"{kind}: {' '.join(instruction.split())} =>"

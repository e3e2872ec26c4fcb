"""What an embedded causal model knows, on questions of unseen seeds; and how wrong the prior is."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

from fmrl_robot.errors import Retryable
from fmrl_robot.fm import load_language_model
from fmrl_robot.planners import questions as ask
from fmrl_robot.shares import share
from fmrl_robot.skills.captioner import say_thing
from fmrl_robot.skills.tabletop import CUBES, HOLDERS
from fmrl_robot.train.cards import write_card
from fmrl_robot.train.recipes.lm_causal import corpus, prior

CANNOT = {
    "project": "anything but this tabletop and these gaits; language beyond the corpus; arithmetic",
    "prior": "chat; this project's robots; anything but short chores",
}
UNSEEN_SEED = 990_001
SKILLS = (
    *(f"pick up {say_thing(c)}" for c in CUBES),
    *(f"place it in the {p}" for p in HOLDERS),
    *(f"place it on {say_thing(c)}" for c in CUBES),
    "place it on the table",
    "open the drawer",
    "close the drawer",
    "press the button",
    ask.DONE,
)
"""Every primitive skill of the tabletop in words: the candidates of a next step."""


def describe(folder: Path, kind: str, learned: dict[str, float], count: int = 300) -> None:
    """Measure the model in ``folder`` and write its card.

    Args:
        folder: with the model.
        kind: of corpus, ``project`` or ``prior``.
        learned: figures of the training.
        count: of questions of each kind.
    """
    model = load_language_model(f"transformers:{folder}")
    measure = measure_project if kind == "project" else measure_prior
    write_card(
        folder / "card.json",
        {
            "what": f"causal language model of this project's own, corpus {kind}",
            "architecture": "Llama",
            "parameters": model.module.num_parameters(),
            "training": {k: round(v, 4) for k, v in learned.items()},
            "unseen": measure(model, count),
            "cannot": CANNOT[kind],
        },
    )


def measure_project(model: Any, count: int) -> dict[str, Any]:
    """Shares of right answers by kind of question, among given candidates where there are such."""
    rng = random.Random(UNSEEN_SEED)  # noqa: S311
    forbidden = corpus.held_out()
    found: dict[str, Any] = {}
    for name, maker, candidates in (
        ("next skill", corpus.ask_next, SKILLS),
        ("yes or no", corpus.ask_holds, (ask.YES, ask.NO)),
        ("better run", corpus.ask_better, ask.BETTER),
    ):
        pairs = [maker(rng, forbidden) for _ in range(count)]
        scores = model.score([q for q, _ in pairs], [candidates] * count)
        right = sum(
            candidates[int(s.sums.argmax())] == a for s, (_, a) in zip(scores, pairs, strict=True)
        )
        found[name] = {**share(right, count), "chance": round(1 / len(candidates), 3)}
    pairs = [corpus.ask_describe(rng, forbidden) for _ in range(count // 3)]
    right = sum(_answer(model, question).strip() == answer for question, answer in pairs)
    found["description word for word"] = share(right, len(pairs))
    return found


def _answer(model: Any, question: str, **settings: Any) -> str:
    """What it says, nothing where it does not come to an end."""
    try:
        return model.generate(question, max_tokens=120, **settings)[0].text
    except Retryable:
        return ""


def measure_prior(model: Any, count: int) -> dict[str, Any]:
    """How often the model prefers a working order to each disturbed one, and samples one."""
    rng = random.Random(UNSEEN_SEED)  # noqa: S311
    asked = [prior.ordered_and_disturbed(rng) for _ in range(count)]
    scores = model.score([a[0] for a in asked], [a[1:] for a in asked])
    right = sum(s.sums.argmax() == 0 for s in scores)
    heads = [head for head, *_ in asked[: count // 3]]
    written = [head + _answer(model, head, temperature=1.0, seed=i) for i, head in enumerate(heads)]
    told = sum(prior.works(text) for _, text in itertools.islice(prior.pairs(UNSEEN_SEED), count))
    return {
        "prefers the working order": share(right, count),
        "writes a working order": share(sum(map(prior.works, written)), len(written)),
        "corpus in working order": share(told, count),
    }

"""Banks of whole phrases: breadth that templates with alternatives do not have.

A bank is a list of templates in one of the YAML files of ``banks/``, each written for itself; its
slots are filled with noun phrases and clauses from other banks and from the generators.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import cast

import yaml

from fmrl_robot.train.recipes.lm_embedded.phrases import expand
from fmrl_robot.train.recipes.lm_embedded.vocabulary import WORDS

_PACKAGE = "fmrl_robot.train.recipes.lm_embedded"
LIKE_BEFORE = 0.5
"""Share of nouns that come from the lists of words.yaml instead of a bank."""
TALK_SHARE = 0.12
"""Share of sentences set into idle talk that come from templates or are about what is hard."""


@cache
def banks() -> dict[str, tuple[str, ...]]:
    """Return every bank by name.

    Raises:
        ValueError: two files have a bank of the same name.
    """
    found: dict[str, tuple[str, ...]] = {}
    for file in sorted(files(_PACKAGE).joinpath("banks").iterdir(), key=lambda f: f.name):
        for name, entries in cast("dict[str, list[str]]", yaml.safe_load(file.read_text())).items():
            if name in found:
                raise ValueError(f"expected banks of different names, got {name!r} twice")
            found[name] = tuple(entries)
    return found


def choose_bank(names: Iterable[str], rng: random.Random) -> str:
    """Choose a bank by how much it holds."""
    listed = tuple(names)
    return rng.choices(listed, [len(banks()[n]) for n in listed])[0]


def say(bank: str, rng: random.Random, **slots: str) -> str:
    """Draw one entry of a bank and fill its slots; long slot names first."""
    text = rng.choice(banks()[bank])
    for name in sorted(slots, key=len, reverse=True):
        text = text.replace("{" + name + "}", slots[name])
    return text


def cube(color: str, rng: random.Random) -> str:
    """Name one cube by its colour, in ordinary or unusual words."""
    adjective = (
        expand(WORDS["colors"][color], rng)
        if rng.random() < 0.7
        else rng.choice(banks()[f"color_{color}"])
    )
    chance = rng.random()
    if chance < 0.45:
        return f"the {adjective} cube"
    if chance < 0.75:
        return say("cube_noun", rng, c=adjective)
    noun = rng.choice(banks()["bare_noun"])
    return rng.choice(("the {} {}", "the {} {}", "that {} {}", "{} {}", "my {} {}")).format(
        adjective, noun
    )


def place(name: str, rng: random.Random) -> str:
    """Name bowl, bin, drawer, table or button."""
    if name != "button" and rng.random() < LIKE_BEFORE:
        return expand(WORDS["places"][name], rng)
    return rng.choice(banks()[f"{name}_noun"])


def wrapped(text: str, kind: str, rng: random.Random, share: float = 0.3) -> str:
    """Set idle talk before or behind a request, or leave it as it is."""
    if rng.random() < share:
        text = f"{_talk(f'{kind}_lead', rng)} {text}"
    if rng.random() < share * 0.7 and not text.rstrip().endswith("?"):
        text = text.rstrip(" .!") + _glue(_talk(f"{kind}_tail", rng))
    return text


def _talk(bank: str, rng: random.Random) -> str:
    color = rng.choice(("red", "green", "blue", "yellow"))
    holder = rng.choice(("bowl", "bin", "drawer"))
    return say(bank, rng, x=cube(color, rng), p=place(holder, rng))


def _glue(tail: str) -> str:
    return tail if tail[:1] in ",.;:!-? " else f" {tail}"

"""Questions about this project's world with right answers, for the embedded causal model."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from fmrl_robot.planners import questions as ask
from fmrl_robot.planners.prompting import short_prompt
from fmrl_robot.skills.captioner import caption, say_thing
from fmrl_robot.skills.drawing import draw
from fmrl_robot.skills.tabletop import CUBES, HOLDERS, TABLETOP
from fmrl_robot.train.recipes.lm_causal.scenes import Story, draw_scene, tell
from fmrl_robot.train.recipes.lm_embedded import arm_banked, arm_corpus
from fmrl_robot.train.recipes.lm_embedded.corpus import (
    BANKED_SHARE,
    fingerprint,
    held_out,
)
from fmrl_robot.train.recipes.lm_embedded.corpus import examples as plan_examples
from fmrl_robot.train.recipes.lm_embedded.phrases import type_like_a_person
from fmrl_robot.types import Predicate

Pair = tuple[str, str]
MAX_CHARS = 900


def _story(rng: random.Random, forbidden: frozenset[str]) -> tuple[str, Story]:
    """An instruction carried out in a scene in which it means something."""
    while True:
        banked = rng.random() < BANKED_SHARE
        text, steps = (arm_banked if banked else arm_corpus).draw(rng)
        if steps[0].startswith("refuse") or fingerprint(text) in forbidden:
            continue
        story = tell(draw_scene(rng), steps)
        typed = type_like_a_person(" ".join(text.split()), rng)
        if story is not None and fingerprint(typed) not in forbidden:
            return typed, story


def ask_next(rng: random.Random, forbidden: frozenset[str]) -> Pair:
    """Which skill comes next."""
    text, story = _story(rng, forbidden)
    at = rng.randrange(len(story.subgoals) + 1)
    done = [ask.say_skill(s) for s in story.subgoals[:at]]
    answer = ask.say_skill(story.subgoals[at]) if at < len(story.subgoals) else ask.DONE
    return ask.next_skill(ask.say_scene(story.facts[at]), text, done), answer


def _any_fact(rng: random.Random) -> Predicate:
    cube = rng.choice(CUBES)
    other = rng.choice([c for c in (*CUBES, "table") if c != cube])
    return rng.choice(
        (
            Predicate("in", (cube, rng.choice(HOLDERS))),
            Predicate("on", (cube, other)),
            Predicate("held", (cube,)),
            Predicate("hand_empty"),
            Predicate(rng.choice(("open", "closed")), ("drawer",)),
            Predicate("pressed", ("button",)),
        )
    )


def ask_holds(rng: random.Random, forbidden: frozenset[str]) -> Pair:
    """Whether a fact holds."""
    del forbidden
    facts = draw(rng, TABLETOP).facts()
    fact = rng.choice(sorted(facts)) if rng.random() < 0.5 else _any_fact(rng)
    answer = ask.YES if fact in facts else ask.NO
    return ask.holds(ask.say_scene(facts), fact), answer


def ask_better(rng: random.Random, forbidden: frozenset[str]) -> Pair:
    """Two runs of one task, cut short or led astray; the better one reached more of the goal."""
    text, story = _story(rng, forbidden)
    runs = [_run(story, rng, forbidden) for _ in range(2)]
    reached = [sum(_true(f, facts) for f in story.goal) for _, facts in runs]
    said = [ask.say_run(skills, facts) for skills, facts in runs]
    answer = "equal" if reached[0] == reached[1] else "AB"[int(reached[1] > reached[0])]
    return ask.better_run(text, *said), answer


def _true(fact: Predicate, facts: frozenset[Predicate]) -> bool:
    return (Predicate(fact.name, fact.args) in facts) == fact.value


def _run(
    story: Story, rng: random.Random, forbidden: frozenset[str]
) -> tuple[list[str], frozenset[Predicate]]:
    if rng.random() < 0.25:
        _, story = _story(rng, forbidden)
    end = len(story.subgoals) if rng.random() < 0.55 else rng.randrange(len(story.subgoals))
    return [ask.say_skill(s) for s in story.subgoals[:end]], story.facts[end]


def ask_goals(rng: random.Random, forbidden: frozenset[str]) -> Pair:
    """Tasks that can be done in the scene and are not done yet."""
    del forbidden
    world = draw(rng, TABLETOP)
    tasks: list[str] = ["close the drawer" if world.is_open("drawer") else "open the drawer"]
    pressed = world.holds(Predicate("pressed", ("button",)))
    tasks += [] if pressed else ["press the button"]
    for cube in CUBES:
        name = say_thing(cube)
        if cube == world.held:
            tasks.append(f"put {name} on the table")
            continue
        holder = rng.choice([p for p in HOLDERS if world.below(cube) != p])
        tasks.append(f"put {name} in the {holder}")
        other = rng.choice([c for c in CUBES if c != cube and world.below(cube) != c])
        tasks.append(f"put {name} on {say_thing(other)}")
    chosen = rng.sample(tasks, rng.choice((3, 4, 5)))
    return ask.goals(ask.say_scene(world.facts())), "; ".join(chosen)


def ask_describe(rng: random.Random, forbidden: frozenset[str]) -> Pair:
    """Facts in one sentence."""
    del forbidden
    facts = sorted(rng.sample(sorted(draw(rng, TABLETOP).facts()), rng.choice((1, 2, 3, 4))))
    said = [caption(f) for f in facts]
    text = said[0] if len(said) == 1 else ", ".join(said[:-1]) + " and " + said[-1]
    return ask.describe(facts), text


_KINDS: tuple[tuple[float, Callable[[random.Random, frozenset[str]], Pair]], ...] = (
    (24, ask_next),
    (14, ask_holds),
    (12, ask_better),
    (6, ask_goals),
    (4, ask_describe),
)
PLAN_SHARE = 0.4
"""Share of pairs from the planner's own corpus."""


def pairs(seed: int) -> Iterator[Pair]:
    """Yield questions with their answers, without end."""
    rng = random.Random(seed)  # noqa: S311
    forbidden = held_out()
    plans = plan_examples(seed + 1)
    weights, makers = zip(*_KINDS, strict=True)
    while True:
        if rng.random() < PLAN_SHARE:
            kind, text, plan = next(plans)
            yield short_prompt(kind, text), plan
            continue
        question, answer = rng.choices(makers, weights)[0](rng, forbidden)
        if len(question) + len(answer) <= MAX_CHARS:
            yield question, answer

"""Instructions that go to places, as a later training would be shown them."""

import random

from fmrl_robot.plancheck.intent import check_intent
from fmrl_robot.planners.gait_language import parse
from fmrl_robot.robots import GO2
from fmrl_robot.train.recipes.lm_embedded import corpus, quadruped_places
from fmrl_robot.types import Plan, Scene


def drawn(count, **shares):
    found = corpus.examples(3, arm_share=0.0, **shares)
    return [next(found) for _ in range(count)]


def test_what_they_say_is_what_the_plan_checks_own_reading_understands():
    rng, refused, count = random.Random(0), [], 300
    for _ in range(count):
        text, steps = quadruped_places.draw(rng)
        plan = Plan(instruction=text, method="", subgoals=tuple(parse(";".join(steps))))
        if check_intent(plan, Scene(stamp_s=0.0), GO2):
            refused.append((text, steps))
    # Gaits beside them are worded more freely than the strict reading takes.
    assert len(refused) <= 0.1 * count, refused[:5]


def test_places_come_only_where_they_are_asked_for():
    places = ("go(", "around(", "turn(", "walk(", "sit()", "up()")
    assert not any(answer.startswith(places) for _, _, answer in drawn(400))
    share = sum(any(p in answer for p in places) for _, _, answer in drawn(400, places=0.5)) / 400
    assert 0.4 < share < 0.65


def test_nothing_that_can_be_done_is_refused_beside_them(monkeypatch):
    assert quadruped_places.possible("turn to the left")
    assert not quadruped_places.possible("dance a waltz")

    def draw(rng):
        return rng.choice(("turn to the left", "dance a waltz")), ("refuse(impossible)",)

    for room in ("quadruped_corpus", "quadruped_banked", "quadruped_phenomena"):
        monkeypatch.setattr(getattr(corpus, room), "draw", draw)

    def refused(**shares):
        rows = drawn(200, **shares)
        kept = [text for _, text, answer in rows if answer.startswith("refuse")]
        return sum("left" in text for text in kept), len(kept)

    left, kept = refused(places=0.3)
    assert left == 0 and kept > 50
    left, _ = refused()
    assert left > 50

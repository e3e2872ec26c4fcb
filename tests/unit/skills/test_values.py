"""The value function knows what can be done, whatever things are called, and says how surely."""

import numpy as np
import pytest

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.skills.env.menu import menu
from fmrl_robot.skills.tabletop import TABLETOP
from fmrl_robot.skills.values import SIZE, SkillValues, features
from fmrl_robot.skills.world import World
from fmrl_robot.train.skill_values import calibration, fit, rollouts
from fmrl_robot.types import Predicate

OTHERS = {"purple_cube": "cube", "pink_cube": "cube", "dish": "bowl", "chest": "drawer"}


def chances(things, *facts):
    world = World.made(things, [Predicate.parse(f) for f in facts])
    choices = menu(world.domain, True, "seen").choices[:-1]
    return dict(
        zip([(c.name, *c.args) for c in choices], SkillValues.load()(world, choices), strict=True)
    )


@pytest.mark.parametrize(
    ("choice", "facts", "can"),
    [
        (("put", "red_cube", "bowl"), (), True),
        (("put", "red_cube", "drawer"), (), False),
        (("put", "red_cube", "drawer"), ("open(drawer)",), True),
        (("put", "red_cube", "bowl"), ("in(red_cube, bowl)",), False),
        (("hold", "red_cube"), ("held(red_cube)",), False),
        (("ensure_open", "drawer"), ("held(red_cube)",), True),
        (("press", "button"), ("held(red_cube)",), False),
    ],
)
def test_what_the_plan_check_would_refuse_has_little_value(choice, facts, can):
    assert bool(chances(TABLETOP, *facts)[choice] > 0.5) is can


def test_what_lies_out_of_reach_has_little_value():
    things, far = TABLETOP, [("far", "cube")]
    world = World.made(things, [Predicate("far", ("red_cube",))], relations=tuple(far))
    choices = [c for c in menu(world.domain, True, "seen").choices if c.name == "hold"]
    red, *others = SkillValues.load()(world, choices)
    assert red < 0.2 and min(others) > 0.8


def test_other_names_make_no_difference():
    told = chances(OTHERS, "open(chest)")
    assert told["put", "purple_cube", "chest"] == pytest.approx(
        chances(TABLETOP, "open(drawer)")["put", "red_cube", "drawer"]
    )


def test_features_have_the_size_that_they_say():
    world = World.made(TABLETOP)
    rows = [features(world, c) for c in menu(world.domain, True, "seen").choices]
    assert {row.shape for row in rows} == {(SIZE,)} and {0.0, 1.0} >= set(np.ravel(rows))


def test_it_learns_from_tries_and_a_shuffled_one_does_not():
    rows, labels = rollouts(6400, seed=1)
    seen, came = rollouts(800, seed=2)
    learned = calibration(fit(rows, labels, 0).of(seen), came)
    shuffled = np.random.default_rng(0).permutation(labels)
    control = calibration(fit(rows, shuffled, 0).of(seen), came)
    assert learned["brier"] < 0.8 * learned["base"] < 0.9 * control["brier"]


def test_calibration_by_hand():
    told = calibration(np.array([0.9, 0.9, 0.1, 0.1]), np.array([1.0, 0.0, 0.0, 0.0]))
    assert told["brier"] == pytest.approx((0.01 + 0.81 + 0.01 + 0.01) / 4)
    assert told["base"] == pytest.approx(3 / 16)
    assert told["ece"] == pytest.approx(0.5 * 0.4 + 0.5 * 0.1)


def test_where_there_are_none_it_is_said_how_to_get_them(tmp_path):
    with pytest.raises(ConfigError, match="fmrl train panda-values") as caught:
        SkillValues.load(tmp_path)
    assert caught.value.code == ErrorCode.ASSET_MISSING

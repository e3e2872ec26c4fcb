"""The one symbolic world: its operators, its invariants, and that it fixes no things."""

import random

import pytest

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.evaluations.language_judge import make_scene
from fmrl_robot.fm.grammar import accepts
from fmrl_robot.fm.scripted import ScriptedLM
from fmrl_robot.methods.psl import PSL
from fmrl_robot.plancheck import check
from fmrl_robot.planners import plan_language
from fmrl_robot.planners.nouns import Nouns
from fmrl_robot.planning import Context
from fmrl_robot.robots import PANDA
from fmrl_robot.skills import OPERATORS, Effect, Need, Skill, Unmet, World
from fmrl_robot.skills.captioner import caption
from fmrl_robot.skills.drawing import draw, scene_of
from fmrl_robot.skills.env import yard_tasks
from fmrl_robot.skills.tabletop import CUBES, TABLETOP
from fmrl_robot.types import Predicate
from fmrl_sim.scenes.tabletop import OBJECTS

P = Predicate.parse
OTHERS = {f"cube_{n}": "cube" for n in range(7)} | {
    "crate": "bin",
    "safe": "drawer",
    "bell": "button",
}


def worlds(count, things=TABLETOP):
    rng = random.Random(7)
    return [draw(rng, things) for _ in range(count)]


def by_hand(world, name, target):
    """The arm's preconditions written once more, without the operators."""
    drawer = {p for p, kind in world.things.items() if kind == "drawer"}
    shut = {d for d in drawer if not world.is_open(d)}
    covered = {world.below(c) for c in world.movable}
    match name:
        case "grasp":
            return not world.held and target not in covered and world.below(target) not in shut
        case "place":
            on_cube = target in world.movable
            return bool(
                world.held
                and target not in (world.held, *shut)
                and not (on_cube and target in covered)
            )
        case "open":
            return not world.held and target in shut
        case "close":
            return not world.held and target not in shut
        case _:
            return not world.held


@pytest.mark.parametrize("things", [TABLETOP, OTHERS], ids=["tabletop", "others"])
def test_an_operator_can_be_carried_out_exactly_where_its_rule_says_and_does_what_ends_it(things):
    done = dict.fromkeys(OPERATORS["arm"], 0)
    for world in worlds(120, things):
        for name, skill in OPERATORS["arm"].items():
            for target in world.domain.of_category(*skill.targets):
                after, ends = world.copy(), world.ends(name, target)
                allowed = by_hand(world, name, target)
                assert (not world.unmet(name, target)) == allowed, (world.facts(), name, target)
                if not allowed:
                    with pytest.raises(Unmet, match="needs"):
                        after.apply(name, target)
                    assert after == world, "a refused skill changes nothing"
                    continue
                after.apply(name, target)
                done[name] += 1
                assert after.holds(ends)
                whole(after)
    assert all(done.values()), done


def whole(world):
    """Every cube in exactly one place, at most one thing held, nothing on what is held."""
    facts = world.facts()
    held = [f.args[0] for f in facts if f.name == "held"]
    places = [f.args[0] for f in facts if f.name in ("on", "in")]
    assert len(held) <= 1
    assert sorted(places + held) == sorted(world.movable), facts
    assert not held or not any(f.args[1] == held[0] for f in facts if f.name in ("on", "in"))
    assert all(world.height(c) < len(world.movable) for c in world.movable), "no cube under itself"


def test_random_play_of_ten_thousand_steps_keeps_the_invariants():
    rng, world = random.Random(1), draw(random.Random(2), TABLETOP)
    aims = [
        (n, t) for n, s in OPERATORS["arm"].items() for t in world.domain.of_category(*s.targets)
    ]
    played = 0
    while played < 10_000:
        name, target = rng.choice(aims)
        if not world.unmet(name, target):
            world.apply(name, target)
            whole(world)
            played += 1


def test_random_play_in_the_yard_leaves_the_robot_at_one_place_and_pads_pressed():
    rng = random.Random(3)
    for seed in range(20):
        world = yard_tasks()(random.Random(seed), "seen").start
        pressed = set()
        for _ in range(100):
            open_to_it = [
                (n, t) for n, s in OPERATORS["quadruped"].items()
                for t in world.domain.of_category(*s.targets) if not world.unmet(n, t)
            ]  # fmt: skip
            name, target = rng.choice(open_to_it)
            ends = world.ends(name, target)
            world.apply(name, target)
            facts = world.facts()
            assert world.holds(ends) and sum(f.name == "at" for f in facts) == 1
            assert pressed <= {f for f in facts if f.name == "pressed"}
            pressed = {f for f in facts if f.name == "pressed"}


def test_a_gate_holds_up_until_its_pad_is_stepped_on():
    world = yard_tasks()(random.Random(0), "seen").start
    bars = next(f for f in sorted(world.facts()) if f.name == "bars")
    gate, here, there = bars.args
    wired = next(f for f in world.facts() if f.name == "wired")
    pad_at = next(
        f.args[1] for f in world.facts() if f.name == "lies" and f.args[0] == wired.args[0]
    )
    world.bits &= ~world.domain.mask("at(Robot, Any)", {"Robot": "robot"})
    world.bits |= world.domain.bit(Predicate("at", ("robot", here)))
    assert f"needs the {gate} open" in world.unmet("walk", there)
    world.bits &= ~world.domain.mask("at(Robot, Any)", {"Robot": "robot"})
    world.bits |= world.domain.bit(Predicate("at", ("robot", pad_at)))
    world.apply("step_on", wired.args[0])
    assert world.is_open(gate)


@pytest.mark.parametrize(
    "facts, place",
    [
        (["on(red_cube, table)", "in(red_cube, bowl)", "on(red_cube, blue_cube)"], "blue_cube"),
        (["on(red_cube, table)", "in(red_cube, bowl)"], "bowl"),
        (["held(red_cube)", "in(red_cube, bowl)"], ""),
        ([], "table"),
        (["in(red_cube, shelf)"], "shelf"),
    ],
)
def test_a_camera_that_contradicts_itself_leaves_a_thing_in_one_place(facts, place):
    world = World.made(TABLETOP, map(P, facts))
    if "shelf" in place:
        world = World.of(make_scene(facts))
    assert world.below("red_cube") == place
    assert (world.held == "red_cube") == (not place)
    whole(World.of(scene_of(world)))


def test_what_is_only_asked_is_computed_and_what_is_unknown_is_false():
    world = World.made(TABLETOP, [P("in(red_cube, bowl)"), P("open(drawer)")])
    for fact in ("hand_empty()", "clear(red_cube)", "not clear(bowl)", "not closed(drawer)"):
        assert world.holds(P(fact)), fact
    for fact in ("hovers(red_cube)", "not hovers(red_cube)", "on(apple, table)"):
        assert not world.holds(P(fact)), fact


def test_a_skill_of_any_arity_and_condition_is_data():
    """A sponge wipes everything that lies on the table, if it is wet."""
    wipe = Skill(
        targets=("cube",),
        needs=(Need("wet(Target)", "it wet; dip it in the {Pool}", given=("is_a(Pool, bowl)",)),),
        adds=(Effect("wiped(Thing)", ("on(Thing, table)",)),),
        deletes=("wet(Target)",),
        ends="not wet(Target)",
        words="wipe",
    )
    operators = {**OPERATORS["arm"], "wipe": wipe}
    made = lambda facts: World.made(TABLETOP, map(P, facts), operators, (("wet", "cube"),))  # noqa: E731
    assert made([]).unmet("wipe", "red_cube") == "wipe(red_cube) needs it wet; dip it in the bowl"
    world = made(["wet(red_cube)", "in(blue_cube, bin)"])
    world.apply("wipe", "red_cube")
    wiped = {f.args[0] for f in world.facts() if f.name == "wiped"}
    assert wiped == {"red_cube", "green_cube", "yellow_cube"}


def test_no_such_skill_is_refused_by_name():
    with pytest.raises(ConfigError, match="juggle") as caught:
        World.made(TABLETOP).apply("juggle", "red_cube")
    assert caught.value.code == ErrorCode.SKILL_UNKNOWN
    with pytest.raises(Unmet, match="place\\(apple\\) needs a cube or bowl"):
        World.made(TABLETOP, [P("held(red_cube)")]).apply("place", "apple")


def test_every_fact_of_every_world_can_be_said():
    for world in (draw(random.Random(0), TABLETOP), yard_tasks()(random.Random(0), "seen").start):
        assert all(caption(fact) for fact in world.domain.facts if fact.name != "locked")


def test_the_tabletops_things_are_those_of_the_scene():
    assert {o.name: o.category for o in OBJECTS} == TABLETOP
    assert tuple(o.name for o in OBJECTS if o.category == "cube") == CUBES


# --- a scene of other things ----------------------------------------------------------------------

THINGS = {
    "purple_cube": "cube",
    "white_cube": "cube",
    "crate": "bin",
    "safe": "drawer",
    "bell": "button",
}


def test_a_plan_is_made_and_checked_for_things_that_nobody_taught():
    scene = scene_of(
        World.made(THINGS, [P("in(purple_cube, safe)"), P("on(white_cube, purple_cube)")])
    )
    text = "put(purple_cube,crate);ensure_closed(safe);press(bell);put(any(1,on_table),empty)"
    grammar = plan_language.grammar_of(scene)
    assert accepts(grammar, text) and not accepts(plan_language.GRAMMAR, text)
    assert accepts(grammar, "put(red_cube,bowl)"), "the taught names stay"
    planner = PSL(ScriptedLM({"": text}))
    planner.reset("tidy up", "panda")
    plan = planner.propose(Context.of(scene))
    assert check(plan, scene, PANDA) == ()
    assert [f"{s.skill} {s.target}" for s in plan.subgoals] == [
        "open safe", "grasp white_cube", "place table", "grasp purple_cube", "place crate",
        "close safe", "press bell", "open safe", "grasp white_cube", "place safe",
    ]  # fmt: skip


def test_the_language_about_the_tabletop_is_the_one_that_models_were_taught():
    scene = make_scene()
    assert plan_language.grammar_of(scene) == plan_language.grammar()
    assert Nouns.of(make_scene(absent=["red_cube"])).cubes == CUBES, "a lost cube keeps its name"

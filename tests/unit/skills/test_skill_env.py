"""SkillEnv on the symbolic world: what may be chosen, what comes of it, and how tasks are split."""

import random
from collections import deque
from dataclasses import replace

import numpy as np
import pytest

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.plancheck import check
from fmrl_robot.robots import PANDA
from fmrl_robot.skills import World
from fmrl_robot.skills.chances import chance
from fmrl_robot.skills.drawing import scene_of
from fmrl_robot.skills.env import (
    SPLITS,
    SkillEnvOptions,
    TableOptions,
    YardOptions,
    feasible,
    symbolic_env,
    table_tasks,
    yard_tasks,
)
from fmrl_robot.skills.macros import Macros
from fmrl_robot.types import Plan, Predicate, SubGoal, SubGoalKind

P = Predicate.parse
HARD = TableOptions(far=0.5, held=0.3)


def table(num_envs=4, tasks=None, slips=None, **options):
    source = table_tasks(tasks)
    return symbolic_env(source, "panda", num_envs, SkillEnvOptions(**options), slips=slips)


def yard(num_envs=4, slips=None, **options):
    return symbolic_env(yard_tasks(), "go2", num_envs, SkillEnvOptions(**options), slips=slips)


def played(env, steps, seed=0):
    """Random admissible play; yields world number, step before, choice and step after."""
    rng, now = random.Random(seed), env.reset(seed)
    for _ in range(steps):
        choices = [rng.choice(np.flatnonzero(v.admissible).tolist()) for v in now.views]
        yield now, choices
        now = env.step(choices)


def subgoals(world, steps):
    """Skills as a plan has them."""
    world = world.copy()
    for number, act in enumerate(steps):
        yield SubGoal(
            id=str(number), kind=SubGoalKind.REGION, skill=act.name, target=act.target,
            termination=act.ends,
        )  # fmt: skip
        world.force(act.name, act.target)


def agreed(env, number, view):
    """Hold every phrase of a view against the plan check; what the check says of each plan."""
    menu = env.menu(number)
    seen = env._episodes[number].views.seen(env.truth(number).bits)
    world = World(env.truth(number).domain, seen)
    scene = scene_of(world, frozenset(view.facts))
    for choice, allowed in zip(menu.choices, view.admissible, strict=True):
        assert allowed == feasible(world, choice), (view.caption, choice)
        steps = choice.skills(world)
        if not steps:
            continue
        plan = Plan(instruction="", method="", subgoals=tuple(subgoals(world, steps)))
        lost = {a for a in choice.args if a in world.movable and scene.find(a) is None}
        wanted = check(plan, scene, PANDA) == () and not lost
        assert allowed == wanted, (view.caption, choice, check(plan, scene, PANDA))
        yield wanted


@pytest.mark.parametrize("macros", [True, False], ids=["macros", "skills"])
@pytest.mark.parametrize("hides", [True, False], ids=["hidden", "open"])
def test_what_is_admissible_is_exactly_what_the_plan_check_accepts(macros, hides):
    env, counts = table(5, HARD, macros=macros, hides=hides), {True: 0, False: 0}
    for now, _ in played(env, 10):
        for number, view in enumerate(now.views):
            for wanted in agreed(env, number, view):
                counts[wanted] += 1
    assert counts[True] > 100 and counts[False] > 40


def test_a_menu_is_right_in_every_state_that_random_play_comes_to():
    env, seen = table(50, macros=True, slips=0.2, moved=0.1, hides=True), set()
    for _ in played(env, 220):
        for number in range(env.num_envs):
            seen.add((number, env._episodes[number].views.seen(env.truth(number).bits)))
    menu, domain = env.menu(0), env.truth(0).domain
    states = sorted({bits for _, bits in seen})
    assert len(states) > 1500
    for bits in states[::5]:
        wanted = [feasible(World(domain, bits), choice) for choice in menu.choices]
        assert menu.admissible(bits) == wanted, World(domain, bits).facts()


def number_of(view, phrase):
    return view.phrases.index(phrase)


def start(env, facts, locked=False):
    """The table in a state of one's own."""
    env.reset(0)
    episode = env._episodes[0]
    whole = episode.world.domain
    episode.world.bits = 0
    for thing in whole.movable:
        episode.world.bits |= whole.bit(P(f"on({thing}, table)"))
    for fact in map(P, facts):
        if fact.name in ("on", "in", "held"):
            episode.world.bits &= ~whole.below[fact.args[0]][0]
        episode.world.bits |= whole.bit(fact)
    episode.view = episode.views(episode.world.bits)
    return lambda: episode.views(episode.world.bits)


def test_open_is_feasible_when_open_and_with_a_full_hand_and_a_put_to_where_it_lies_is_not():
    env = table(1, slips=0.0)
    view = start(env, ["open(drawer)", "held(red_cube)", "in(blue_cube, bowl)"])()
    assert view.admissible[number_of(view, "open the drawer")]
    assert view.admissible[number_of(view, "put the red cube in the drawer")]
    assert not view.admissible[number_of(view, "put the blue cube in the bowl")]
    assert not view.admissible[number_of(view, "pick up the red cube")]
    view = start(env, ["held(red_cube)"])()
    assert view.admissible[number_of(view, "open the drawer")]
    assert not view.admissible[number_of(view, "put the red cube in the drawer")]


@pytest.mark.parametrize("macros", [True, False], ids=["macros", "skills"])
def test_what_is_out_of_reach_cannot_be_chosen_nor_what_lies_on_it_or_below(macros):
    env = table(1, macros=macros)
    view = start(env, ["on(blue_cube, red_cube)", "far(red_cube)"])()
    assert "the red cube is out of reach" in view.caption
    assert not view.admissible[number_of(view, "pick up the red cube")]
    assert view.admissible[number_of(view, "pick up the blue cube")]
    assert list(agreed(env, 0, view))
    if macros:
        assert not view.admissible[number_of(view, "put the green cube on the red cube")]
    view = start(env, ["on(blue_cube, red_cube)", "far(blue_cube)"])()
    assert not view.admissible[number_of(view, "pick up the red cube")]
    assert list(agreed(env, 0, view))


def test_a_tower_in_a_closed_drawer_is_opened_by_what_takes_it_apart():
    env = table(1)
    view = start(env, ["in(green_cube, drawer)", "on(blue_cube, green_cube)"])()
    assert view.admissible[number_of(view, "put the blue cube in the drawer")]
    assert not view.admissible[number_of(view, "put the red cube in the drawer")]
    assert list(agreed(env, 0, view))


def test_a_choice_that_cannot_be_carried_out_costs_time_and_changes_nothing():
    env = table(1, slips=0.0)
    view = start(env, [])()
    before = env.truth(0)
    now = env.step([number_of(view, "put the red cube in the drawer")])
    assert env.truth(0) == before and now.seconds[0] > 0 and now.done == (False,)


def test_a_drawer_that_is_locked_opens_only_after_the_button():
    env = table(1, TableOptions(locked=1.0), slips=0.0, max_steps=50)
    now = env.reset(3)
    view = now.views[0]
    assert "locked" not in view.caption and env.truth(0).holds(P("locked(drawer)"))
    opening, pressing = number_of(view, "open the drawer"), number_of(view, "press the button")
    if env.truth(0).held:
        env.step([number_of(view, f"put the {env.truth(0).held.replace('_', ' ')} on the table")])
    assert env.step([opening]).done == (False,) and not env.truth(0).is_open("drawer")
    env.step([pressing])
    assert env.step([opening]).done == (True,) and env.truth(0).is_open("drawer")


def test_what_is_in_a_closed_drawer_is_seen_once_it_is_open():
    env = table(1, hides=True, slips=0.0)
    view = start(env, ["in(red_cube, drawer)"])
    assert "red cube" not in view().caption
    allowed = np.array(view().phrases)[view().admissible]
    assert not any("put the red cube" in phrase for phrase in allowed)
    env.step([number_of(view(), "open the drawer")])
    assert "the red cube is in the drawer" in view().caption
    assert view().admissible[number_of(view(), "put the red cube in the bowl")]


def test_a_slip_leaves_a_cube_on_the_table_and_takes_its_time():
    env = table(1, slips=1.0, macros=False)
    view = start(env, ["held(red_cube)"])
    now = env.step([number_of(view(), "place it in the bowl")])
    assert env.truth(0).below("red_cube") == "table" and now.done == (False,)
    assert now.seconds[0] == pytest.approx(chance("panda", "place", "bowl").seconds)


def test_a_macro_takes_as_long_as_its_skills():
    env = table(1, slips=0.0)
    view = start(env, ["in(red_cube, drawer)"])
    now = env.step([number_of(view(), "put the red cube in the bowl")])
    parts = [("open", "drawer"), ("grasp", "cube"), ("place", "bowl")]
    assert now.seconds[0] == pytest.approx(sum(chance("panda", *p).seconds for p in parts))


def test_somebody_moves_cubes_only_where_it_is_asked_for():
    for moved in (0.0, 1.0):
        env = table(8, moved=moved, slips=0.0, max_steps=100)
        now = env.reset(1)
        before = [env.truth(n).facts() for n in range(8)]
        now = env.step([number_of(v, "press the button") for v in now.views])
        places = {
            f for n in range(8) for f in env.truth(n).facts() ^ before[n] if f.name in ("in", "on")
        }
        assert bool(places) == bool(moved)


def test_the_chances_are_those_that_were_measured():
    env, rng, took = table(200, macros=False, max_steps=10_000), random.Random(0), []
    now = env.reset(0)
    for _ in range(60):
        choices = [rng.choice(np.flatnonzero(v.admissible[:-1]).tolist()) for v in now.views]
        now = env.step(choices)
        names = [env.menu(n).choices[c].name for n, c in enumerate(choices)]
        took += [done for name, done in zip(names, now.done, strict=True) if name == "grasp"]
    expected = chance("panda", "grasp", "cube").success
    spread = (expected * (1 - expected) / len(took)) ** 0.5
    assert len(took) > 1500
    assert sum(took) / len(took) == pytest.approx(expected, abs=4 * spread + 1e-9)


@pytest.mark.parametrize("make", [table, yard])
def test_the_same_seed_plays_the_same_whatever_stands_beside_it(make):
    def trace(num_envs, seed):
        env = make(num_envs, moved=0.2, slips=0.3)
        rows = []
        now = env.reset(seed)
        for step in range(40):
            rows.append((now.instructions[0], now.views[0].caption, float(now.rewards[0])))
            fit = np.flatnonzero(now.views[0].admissible)
            others = [0] * (num_envs - 1)
            now = env.step([int(fit[step % len(fit)]), *others])
        return rows

    assert trace(1, 5) == trace(3, 5) != trace(1, 6)


def test_views_have_the_shapes_they_say_and_tell_the_truth():
    for env in (table(3), table(3, macros=False), yard(3)):
        for now, _ in played(env, 10):
            for number, view in enumerate(now.views):
                world = env.truth(number)
                assert view.admissible.shape == (len(view.phrases),)
                assert view.admissible.dtype == bool and view.admissible[-1], "done is always there"
                assert view.state.shape == (len(world.domain.facts),)
                assert set(view.state.tolist()) <= {0.0, 1.0}
                assert set(view.facts) <= world.facts() and list(view.facts) == sorted(view.facts)
                assert len(set(view.phrases)) == len(view.phrases)


def test_an_episode_ends_by_done_by_its_goal_or_by_its_length():
    env = table(1, TableOptions(families=("press",), held=0.0), slips=0.0)
    now = env.reset(0)
    press, done = (number_of(now.views[0], p) for p in ("press the button", "done"))
    now = env.step([press])
    assert not now.terminated[0] and now.rewards[0] == 0
    now = env.step([done])
    assert now.terminated[0] and now.rewards[0] == 1 and "is pressed" in now.last[0].caption
    assert "is pressed" not in now.views[0].caption, "it has begun anew"
    now = env.step([done])
    assert now.terminated[0] and now.rewards[0] == 0
    env = table(1, TableOptions(families=("press",), held=0.0), slips=0.0, done_ends=False)
    env.reset(0)
    now = env.step([press])
    assert now.terminated[0] and now.rewards[0] == 1
    env = table(1, TableOptions(families=("press",), held=0.0), slips=1.0, max_steps=2)
    env.reset(0)
    assert not env.step([press]).truncated[0]
    now = env.step([press])
    assert now.truncated[0] and not now.terminated[0] and 0 in now.last


def test_a_skill_with_parameters_may_be_chosen_and_others_are_refused():
    env = table(1, slips=0.0)
    start(env, [])
    asked = SubGoal(id="1", kind=SubGoalKind.SKILL, skill="grasp", target="red_cube")
    assert env.step([asked]).done == (True,) and env.truth(0).held == "red_cube"
    with pytest.raises(ConfigError) as caught:
        env.step([replace(asked, skill="juggle")])
    assert caught.value.code == ErrorCode.SKILL_UNKNOWN
    with pytest.raises(ConfigError, match="force_n"):
        env.step([replace(asked, params=(("force_n", "3"),))])
    with pytest.raises(ConfigError, match="choices"):
        env.step([0, 1])
    with pytest.raises(ConfigError, match="fmrl_sim") as caught:
        env.picture(0)
    assert caught.value.code == ErrorCode.CAPABILITY_MISSING
    with pytest.raises(ConfigError, match="walk"):
        chance("panda", "walk", "place")


# --- tasks ----------------------------------------------------------------------------------------


def drawn(source, split, count=60):
    return [source(random.Random(f"{split} {n}"), split) for n in range(count)]


def solved_on_the_table(task):
    """One goal after another by macros, the button first where a drawer is locked."""
    for goal in task.goals:
        world = task.start.copy()
        macros = Macros(world, lambda act: None)
        macros.empty_hand()
        for button in world.domain.of_category("button"):
            macros.do("press", button)
        # What others stand on comes first.
        moved = {f.args[0] for f in goal if f.name in ("in", "on")}
        for fact in sorted(goal, key=lambda f: (f.name in ("open", "closed"), f.args[-1] in moved)):
            if fact.name in ("in", "on"):
                if world.things[fact.args[1]] == "drawer":
                    macros.ensure(fact.args[1], is_open=True)
                macros.put(*fact.args)
            elif fact.name in ("open", "closed"):
                macros.ensure(fact.args[0], is_open=fact.name == "open")
        if task.reached(world):
            return True
    return False


def solved_in_the_yard(task):
    """Breadth first."""
    queue, known = deque([task.start]), {task.start.bits}
    while queue:
        world = queue.popleft()
        if task.reached(world):
            return True
        for name, skill in world.domain.skills.items():
            for target in world.domain.of_category(*skill.targets):
                if name == "search" and world.holds(Predicate("searched", (target,))):
                    continue
                if not world.unmet(name, target):
                    after = world.copy()
                    after.force(name, target)
                    if after.bits not in known:
                        known.add(after.bits)
                        queue.append(after)
    return False


@pytest.mark.parametrize("split", SPLITS)
def test_every_task_is_open_at_first_and_can_be_done(split):
    for task in drawn(table_tasks(TableOptions(far=0.3, locked=0.3)), split):
        assert not task.reached(task.start) and task.split == split
        assert solved_on_the_table(task), (task.instruction, task.start.facts())
    for task in drawn(yard_tasks(), split, 12):
        assert not task.reached(task.start)
        assert solved_in_the_yard(task), (task.instruction, task.start.facts())


def test_blocked_ways_and_gates_matter():
    """Control: with the way to the pad gone, some gate never opens."""
    tasks = drawn(yard_tasks(YardOptions(families=("open the gate",), further_ways=0)), "seen", 8)
    for task in tasks:
        cut = [f for f in sorted(task.start.facts()) if f.name == "way"]
        for fact in cut:
            task.start.bits &= ~task.start.domain.bit(fact)
    assert not all(solved_in_the_yard(task) for task in tasks)


def pairs_of(tasks):
    return {f.args for t in tasks for goal in t.goals for f in goal if f.name in ("in", "on")}


def test_splits_keep_things_words_pairs_and_lengths_apart():
    options = TableOptions(families=("put", "stack", "open", "press"))
    by_split = {split: drawn(table_tasks(options), split, 150) for split in SPLITS}
    seen = by_split["seen"]
    assert not pairs_of(seen) & pairs_of(by_split["combinations"])
    assert len(pairs_of(by_split["combinations"])) >= 3
    names = lambda tasks: {n for t in tasks for n in t.start.things} - {"table"}  # noqa: E731
    assert not names(seen) & names(by_split["objects"])
    said = lambda tasks: {t.instruction for t in tasks}  # noqa: E731
    assert not said(seen) & said(by_split["phrases"])
    assert all("+" in t.family for t in by_split["longer"])
    assert not any("+" in t.family for t in seen)
    going = YardOptions(families=("go",))
    trips = {
        split: {
            (t.start.where(), t.goals[0][0].args[1]) for t in drawn(yard_tasks(going), split, 80)
        }
        for split in ("seen", "combinations")
    }
    assert not trips["seen"] & trips["combinations"] and trips["combinations"]


def test_the_choices_of_other_words_are_said_otherwise():
    seen, other = (set(table(1, split=s).reset(0).views[0].phrases) for s in ("seen", "phrases"))
    assert seen & other == {"done"} and len(seen) == len(other) == 36

"""The trials of SayCan and Inner Monologue: who is told what, and who judges."""

import random
from dataclasses import replace

import numpy as np
import pytest

from fmrl_robot.evaluations import spine
from fmrl_robot.evaluations.language_judge import make_scene
from fmrl_robot.fm.scripted import ScriptedLM
from fmrl_robot.methods.saycan import SayCan
from fmrl_robot.planning import Question
from fmrl_robot.reproduce.trials import inner_monologue, saycan
from fmrl_robot.reproduce.trials.stepping import ROBOT, play
from fmrl_robot.skills.env import SkillEnvOptions, symbolic_env
from fmrl_robot.types import Predicate, SubGoal, SubGoalKind


def certain(world, choices):
    return np.ones(len(choices))


def world():
    return symbolic_env(saycan.tasks(), ROBOT, 1, SkillEnvOptions(max_steps=200), slips=0.0)


def test_an_oracle_that_sees_all_needs_no_values():
    planner = SayCan(saycan.oracle(), values=certain, done_value=1.0)
    played = [play(planner, world(), seed) for seed in range(12)]
    assert all(p.done for p in played) and all(p.feasible == p.steps for p in played)


def test_a_planner_that_only_says_so_has_done_nothing():
    planner = SayCan(ScriptedLM({"": "done"}), values=certain)
    assert not any(play(planner, world(), seed).done for seed in range(6))


def test_half_of_the_tasks_name_no_cube_and_leave_one_or_two_within_reach():
    drawn = [saycan.tasks()(random.Random(seed), "seen") for seed in range(60)]
    unnamed = [t for t in drawn if t.family == "any"]
    assert 20 <= len(unnamed) <= 40
    for task in unnamed:
        start = task.start
        far = [c for c in start.movable if start.holds(Predicate("far", (c,)))]
        assert len(far) in (2, 3) and start.held not in far
    assert not any(t.start.holds(Predicate("far", (c,)))
                   for t in drawn if t.family != "any" for c in t.start.movable)  # fmt: skip


def test_what_is_tried_out_of_reach_is_counted_as_not_feasible():
    seed = next(
        s for s in range(50)
        if saycan.tasks()(random.Random(f"{s} 0 0"), "seen").start.holds(
            Predicate("far", ("red_cube",)))
    )  # fmt: skip
    answers = {"": "done", "Steps so far:\nNext": "put(red_cube,bowl)"}
    played = play(SayCan(ScriptedLM(answers), values=certain), world(), seed)
    assert played.feasible < played.steps and not played.done


def test_a_detector_is_wrong_in_its_share_and_the_same_each_time_it_looks():
    fact = Predicate("in", ("red_cube", "bowl"))
    scenes = [make_scene(["in(red_cube,bowl)"]) for _ in range(400)]
    scenes = [replace(scene, stamp_s=float(i)) for i, scene in enumerate(scenes)]
    seen = [inner_monologue.seen(scene, fact, 0.1, 3) for scene in scenes]
    assert 0.85 < np.mean(seen) < 0.95
    assert seen == [inner_monologue.seen(scene, fact, 0.1, 3) for scene in scenes]
    step = SubGoal(id="1", kind=SubGoalKind.REGION, skill="place", target="bowl", termination=fact)
    blurred = [inner_monologue.blurred(scene, step, 0.1, 3).holds(fact) for scene in scenes]
    assert 0.85 < np.mean(blurred) < 0.95 and blurred != seen
    assert inner_monologue.blurred(scenes[0], step, 0.0, 3).predicates == scenes[0].predicates


def test_the_person_says_how_things_are():
    env = world()
    env.reset(0)
    answer = inner_monologue.person(env.task(0), lambda: env.truth(0))
    (true,) = [f for f in env.truth(0).facts() if f.name in ("open", "closed")]
    for state, word in (
        (true.name, "yes"),
        ({"open": "closed", "closed": "open"}[true.name], "no"),
    ):
        question = f"After step 1: is it true that the drawer is {state}?"
        assert answer(Question(text=question)) == word


@pytest.mark.parametrize(("words", "told"), [(["--method", "saycan"], "saycan"), ([], None)])
def test_the_spine_is_run_with_the_method_that_is_named(tmp_path, monkeypatch, words, told):
    asked = []

    def run(episodes, folder, launch, report):
        asked.append(launch)
        raise KeyboardInterrupt

    monkeypatch.setattr(spine, "run_episodes", run)
    with pytest.raises(KeyboardInterrupt):
        spine.main(["--robot", "panda", "--out", str(tmp_path / "out"), *words])
    assert asked[0].get("method") == told

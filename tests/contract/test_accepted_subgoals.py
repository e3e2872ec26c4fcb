"""What the plan check lets through, the controller of that robot accepts, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from fmrl_robot.control import controller_for
from fmrl_robot.evaluations.language_judge import make_scene
from fmrl_robot.plancheck import check
from fmrl_robot.planning import SkillFacts
from fmrl_robot.registry import SKILLS
from fmrl_robot.robots import ROBOTS, robot
from fmrl_robot.skills import chances
from fmrl_robot.skills.body_skills import BODY_SKILLS
from fmrl_robot.skills.known import skill_facts
from fmrl_robot.types import (
    ContactPattern,
    Plan,
    Predicate,
    SceneObject,
    SubGoal,
    SubGoalKind,
    Velocity,
)

SCENE = make_scene()
TARGETS = {"grasp": "red_cube", "place": "bowl", "open": "drawer", "close": "drawer",
           "go_to": "red_marker", "go_around": "red_marker", "turn": "red_marker"}  # fmt: skip
MARKER = SceneObject(
    name="red_marker", category="marker", color="red", pose=SCENE.objects[0].pose,
    size=np.array([0.24, 0.24, 0.3]),
)  # fmt: skip
ENDS = {
    "grasp": "held(red_cube)",
    "place": "in(red_cube, bowl)",
    "open": "open(drawer)",
    "close": "closed(drawer)",
}
BEFORE = {"place": "held(red_cube)", "close": "open(drawer)"}


def subgoals():
    """One of each kind, and of each kind that names a skill one of each skill."""
    step = SubGoal(id="1", kind=SubGoalKind.TEXT, text="do it", velocity=Velocity(), duration_s=1.0)
    yield step
    yield replace(step, kind=SubGoalKind.PREDICATE)
    rows = ContactPattern(contacts=np.ones((4, 26), dtype=bool))
    yield replace(step, kind=SubGoalKind.CONTACT_PATTERN, pattern=rows)
    for kind in (SubGoalKind.SKILL, SubGoalKind.REGION):
        for name in (*SKILLS.names(), *BODY_SKILLS, "somersault"):
            target = TARGETS.get(name, "button")
            yield replace(step, kind=kind, skill=name, target=target)


def possible(subgoal):
    """The sub-goal with the fact that does end it, in a scene in which it can be carried out."""
    fact = BEFORE.get(subgoal.skill)
    scene = replace(
        SCENE,
        objects=(*SCENE.objects, MARKER),
        predicates=frozenset(filter(None, [fact and Predicate.parse(fact)])),
    )
    until = ENDS.get(subgoal.skill, "pressed(button)")
    return replace(subgoal, termination=Predicate.parse(until)), scene


@pytest.mark.parametrize("name", ROBOTS.names())
def test_the_check_and_the_controller_agree(name):
    spec = robot(name)
    controller = controller_for(spec)
    accepted = 0
    for subgoal in subgoals():
        subgoal, scene = possible(subgoal)
        found = check(Plan(instruction="", method="", subgoals=(subgoal,)), scene, spec)
        assert (found == ()) == controller.accepts(subgoal), (subgoal, found)
        accepted += not found
    assert accepted == {"arm": 10, "quadruped": 7}[spec.kind]


@pytest.mark.parametrize("name", ROBOTS.names())
def test_a_planner_is_told_of_every_skill_in_words(name):
    facts = skill_facts(robot(name))
    assert facts and all(isinstance(f, SkillFacts) and f.words for f in facts.values())


def test_a_planner_is_told_how_often_skills_succeed_where_that_was_measured(monkeypatch):
    rows = {
        "bowl": {"successes": 30, "tries": 30, "seconds": 2.0},
        "cube": {"successes": 15, "tries": 30, "seconds": 4.0},
    }
    told = {"measured": {"panda": {"place": rows}}, "assumed": {"panda": {"open": rows}}}
    monkeypatch.setattr(chances, "measured", lambda: told)
    facts = skill_facts(robot("panda"))
    assert (facts["place"].chance, facts["place"].seconds) == (0.75, 3.0)
    assert facts["open"].chance is None and facts["open"].seconds is None

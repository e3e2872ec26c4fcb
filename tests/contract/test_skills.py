"""Laws that every registered skill, and the template of docs/your_skill.md, has to keep."""

import importlib.util
import itertools
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fmrl_robot.control.arm import ArmController
from fmrl_robot.control.arm_skill import ArmSkill, arm_skills
from fmrl_robot.control.local_skill import OBSERVATION_NAMES, OBSERVATION_SIZES
from fmrl_robot.control.regions import Region
from fmrl_robot.errors import ConfigError, ErrorCode, Retryable
from fmrl_robot.evaluations.language_judge import make_scene
from fmrl_robot.fm.scripted import ScriptedLM
from fmrl_robot.methods.psl import PSL
from fmrl_robot.plancheck import check
from fmrl_robot.planners import plan_language
from fmrl_robot.planning import Context
from fmrl_robot.registry import ARM_SKILLS, SKILLS
from fmrl_robot.robots import PANDA
from fmrl_robot.skills import Skill, Unmet, World, skill
from fmrl_robot.skills.captioner import KNOWN_FACTS, caption
from fmrl_robot.skills.library import BUILTIN
from fmrl_robot.types import Plan, Pose, SubGoal, SubGoalKind
from fmrl_sim.lockstep import run_plan
from fmrl_sim.scenes.tabletop import build

PAGE = Path(__file__).parents[2] / "docs" / "your_skill.md"
TEMPLATE = PAGE.parent / "templates" / "my_skill.py"
NAMES = sorted({*SKILLS.names(), "nudge"})
THINGS = {
    "cube": ("red_cube", "blue_cube"),
    "bowl": ("bowl",),
    "bin": ("bin",),
    "drawer": ("drawer",),
    "button": ("button",),
    "table": ("table",),
}
STARTS = (
    [],
    ["held(red_cube)"],
    ["held(green_cube)", "open(drawer)"],
    ["open(drawer)"],
    ["on(blue_cube, red_cube)"],
    ["in(red_cube, drawer)"],
    ["in(red_cube, drawer)", "open(drawer)", "pressed(button)"],
    ["in(red_cube, bowl)", "on(blue_cube, red_cube)"],
)


def template():
    spec = importlib.util.spec_from_file_location("my_skill", TEMPLATE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MINE = template()


@pytest.fixture(autouse=True)
def installed():
    """As if the template's package were installed."""
    with SKILLS.lent("nudge", MINE.NUDGE), ARM_SKILLS.lent("nudge", MINE.ARM):
        yield


@pytest.fixture(params=NAMES)
def named(request):
    return request.param, skill(request.param)


def attempts(name, found):
    """Every start, with every target, and the world after; None where it is refused."""
    targets = [t for category in found.targets for t in THINGS.get(category, (f"my_{category}",))]
    worlds = [World.of(make_scene(facts)) for facts in STARTS]
    for start, target in itertools.product(worlds, targets):
        after = start.copy()
        try:
            after.apply(name, target)
        except Unmet as error:
            yield start, target, after, str(error)
        else:
            yield start, target, after, None


def test_it_says_what_it_is(named):
    name, found = named
    assert isinstance(found, Skill)
    assert name.isidentifier() and name == name.lower()
    assert found.targets and all(found.targets) and found.words


def test_parameters_are_typed_bounded_and_have_a_default_inside(named):
    _, found = named
    names = [p.name for p in found.parameters]
    assert len(set(names)) == len(names)
    for parameter in found.parameters:
        assert parameter.lower <= parameter.default <= parameter.upper
        assert math.isfinite(parameter.lower) and math.isfinite(parameter.upper)


def test_preconditions_can_be_evaluated_everywhere_and_each_refusal_says_what_it_needs(named):
    name, found = named
    outcomes = list(attempts(name, found))
    assert any(message is None for *_, message in outcomes), "no world lets it happen"
    for start, target, after, message in outcomes:
        if message is not None:
            assert message.startswith(f"{name}({target})") and "needs" in message
            assert after == start, "a refused skill leaves the world as it was"


def test_effects_bring_about_the_fact_that_ends_it(named):
    name, found = named
    for start, target, after, message in attempts(name, found):
        if message is None:
            ends = start.ends(name, target)
            assert after.holds(ends), (start, target, ends)
            assert not after.holds(replace(ends, value=not ends.value))


def test_the_fact_that_ends_it_has_a_caption(named):
    name, found = named
    for start, target, _, message in attempts(name, found):
        if message is None:
            ends = start.ends(name, target)
            assert ends.name in KNOWN_FACTS | set(found.brings)
            assert target.replace("_", " ") in caption(ends)


def test_its_own_facts_do_not_hide_those_of_others(named):
    name, found = named
    others = [skill(n) for n in NAMES if n != name]
    taken = KNOWN_FACTS | {fact for other in others for fact in other.brings}
    assert not taken & set(found.brings)


def test_it_is_deterministic(named):
    name, found = named
    assert list(attempts(name, found)) == list(attempts(name, found))


@pytest.mark.parametrize("name", [n for n in NAMES if n not in BUILTIN])
def test_it_can_be_written_planned_and_checked(name):
    """From a sentence of the plan language to a plan that passes, in a world that lets it."""
    found, done = skill(name), 0
    for facts in ([], ["open(drawer)"]):
        scene = make_scene(facts)
        for target in (t for c in found.targets for t in THINGS.get(c, ())):
            planner = PSL(ScriptedLM({"": f"{name}({target})"}))
            planner.reset("do it", "panda")
            plan = planner.propose(Context.of(scene))
            assert plan.subgoals[-1].skill == name and plan.subgoals[-1].text
            done += check(plan, scene, PANDA) == ()
    assert done


def test_an_arms_side_belongs_to_a_skill_and_is_whole():
    for name, piece in arm_skills(PANDA).items():
        assert isinstance(piece, ArmSkill) and name in SKILLS.names()
        assert piece.act is not None or piece.policies is not None
        target = THINGS[skill(name).targets[0]][0]
        scene = make_scene()
        found = piece.region(step(name, target), scene)
        assert isinstance(found, Region)
        assert found.targets.shape == (len(found.starts), 4) and np.isfinite(found.targets).all()
        assert all(isinstance(start, Pose) for start in found.starts)
        if piece.act is not None:
            sizes = zip(OBSERVATION_NAMES, OBSERVATION_SIZES, strict=True)
            actions = piece.act({n: np.full((3, size), 0.1) for n, size in sizes})
            assert actions.shape == (3, 5) and np.isfinite(actions).all()
        if piece.proof is not None:
            assert not piece.proof(step(name, target), scene, scene), "nothing happened"


# --- the template, from sentence to motion --------------------------------------------------------


def step(name, target, **params):
    ends = World.of(make_scene()).ends(name, target)
    given = tuple((k, str(v)) for k, v in params.items())
    return SubGoal(
        id="1", kind=SubGoalKind.REGION, skill=name, target=target, termination=ends, params=given
    )


def problems(*steps, facts=()):
    plan = Plan(instruction="", method="psl", subgoals=steps)
    return [(p.code, p.message) for p in check(plan, make_scene(list(facts)), PANDA)]


def test_the_plan_check_knows_a_skill_only_while_it_is_installed():
    """Under another name, for the template itself may be installed."""
    with SKILLS.lent("nudge_too", MINE.NUDGE):
        asked = step("nudge_too", "red_cube")
        assert problems(asked) == []
    assert problems(asked)[0][0] == ErrorCode.SKILL_UNKNOWN


@pytest.mark.parametrize(
    "params", [{"distance_m": 0.5}, {"distance_m": "far"}, {"distance_m": "nan"}, {"force_n": 3}]
)
def test_parameters_out_of_bounds_are_refused_by_name(params):
    ((code, message),) = problems(step("nudge", "red_cube", **params))
    assert code == ErrorCode.PARAMETER_OUT_OF_BOUNDS
    assert "nudge" in message and next(iter(params)) in message


def test_what_it_needs_is_checked_along_the_plan():
    ((code, message),) = problems(step("nudge", "red_cube"), facts=["in(red_cube, bowl)"])
    assert code == ErrorCode.PRECONDITION_UNMET and "table" in message
    ((code, _),) = problems(step("nudge", "bowl"))
    assert code == ErrorCode.PARAMETER_OUT_OF_BOUNDS


def test_the_language_and_the_prompt_speak_of_it_only_while_it_is_installed(monkeypatch):
    assert '"nudge(" name ("," number){0,1} ")"' in plan_language.grammar()
    assert "nudge(cube[,distance_m 0.02 to 0.08]): push a cube" in plan_language.guide()
    (read,) = plan_language.parse("nudge(red_cube,0.03)")
    assert (read.name, read.place, read.values) == ("nudge", "red_cube", ("0.03",))
    with pytest.raises(Retryable, match="distance_m"):
        plan_language.parse("nudge(red_cube,0.03,7)")
    others = plan_language.grammar(), plan_language.guide()
    with SKILLS.lent("nudge_too", MINE.NUDGE):
        assert '"nudge_too(" name' in plan_language.grammar()
        assert "nudge_too(cube" in plan_language.guide()
    assert (plan_language.grammar(), plan_language.guide()) == others
    monkeypatch.setattr(plan_language, "further_skills", dict)
    assert (plan_language.grammar(), plan_language.guide()) == (plan_language.GRAMMAR, "")


def test_the_grammar_with_it_is_one_that_constrained_generation_takes():
    xgrammar = pytest.importorskip("xgrammar")
    xgrammar.Grammar.from_ebnf(plan_language.grammar())


@pytest.mark.parametrize("distance_m", [0.04, 0.07])
def test_the_arm_does_it_and_the_gate_refuses_nothing(distance_m):
    table, went = build(), {}

    def watch(body, _):
        went["now"] = body.data.body("red_cube").xpos.copy()
        went.setdefault("first", went["now"])

    controller = ArmController(PANDA, plan_inline=True)
    asked = step("nudge", "red_cube", distance_m=distance_m)
    run = run_plan(table, controller, [asked], [], seed=3, on_tick=watch, retries=0)
    assert run.steps[0].outcome.success, run.steps[0].outcome
    assert run.refusals == 0
    moved = went["now"] - went["first"]
    assert np.linalg.norm(moved[:2]) == pytest.approx(distance_m, abs=0.02)
    assert moved[:2] @ went["first"][:2] > 0, "away from the base"


@pytest.fixture
def package(tmp_path):
    """The template, installed as its page says: its folder and what pip would leave beside it."""
    told = tomllib.loads(re.search(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)[1])["project"]
    (tmp_path / told["name"]).mkdir()
    (tmp_path / told["name"] / "__init__.py").touch()
    shutil.copy(TEMPLATE, tmp_path / told["name"])
    info = tmp_path / f"{told['name']}-{told['version']}.dist-info"
    info.mkdir()
    named = f"Name: {told['name']}\nVersion: {told['version']}\n"
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\n{named}")
    points = {
        group: "".join(f"{name} = {value}\n" for name, value in declared.items())
        for group, declared in told["entry-points"].items()
    }
    text = "".join(f"[{group}]\n{lines}" for group, lines in points.items())
    (info / "entry_points.txt").write_text(text)
    (tmp_path / "answers.json").write_text(json.dumps({"": "nudge(red_cube,0.06)"}))
    return tmp_path


def run_with(package, *words):
    return subprocess.run(
        [sys.executable, "-m", *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(package), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        timeout=120.0,
    )


def test_the_laws_hold_as_well_where_it_is_installed(package):
    """All of this file but what moves an arm, loads a tokenizer or starts processes."""
    slow = ("the_arm_does_it", "where_it_is_installed", "installed_package", "constrained")
    chosen = " and ".join(f"not {name}" for name in slow)
    ran = run_with(package, "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", chosen)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_an_installed_package_needs_no_more_than_its_entry_points(package):
    model = f"scripted:{package}/answers.json"
    words = ("plan", "nudge the red cube", "--json", "--language-model", model)
    ran = run_with(package, "fmrl_robot.cli", *words)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (planned,) = json.loads(ran.stdout)["subgoals"]
    assert (planned["skill"], planned["target"]) == ("nudge", "red_cube")
    assert planned["params"] == {"distance_m": "0.06"}
    assert planned["text"] == "the red cube was pushed away"


def test_what_is_no_skill_is_refused_by_name():
    with SKILLS.lent("juggle", print), pytest.raises(ConfigError, match="juggle"):
        skill("juggle")
    with ARM_SKILLS.lent("juggle", MINE.ARM), pytest.raises(ConfigError, match="juggle"):
        arm_skills(PANDA)


def test_one_for_another_robot_is_left_out():
    with ARM_SKILLS.lent("nudge", replace(MINE.ARM, robots=("my_robot",))):
        assert "nudge" not in arm_skills(PANDA)

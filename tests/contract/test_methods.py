"""Laws that every registered planner obeys, whatever its paper."""

import importlib.util
import json
import re
from pathlib import Path

import fault_server
import pytest

from fmrl_robot.card import MethodCard
from fmrl_robot.errors import ConfigError, ErrorCode, FmrlError, Retryable, Terminal
from fmrl_robot.evaluations.language_judge import make_scene
from fmrl_robot.fm import load_language_model
from fmrl_robot.fm.scripted import ScriptedLM
from fmrl_robot.plancheck import check
from fmrl_robot.planning import Context, Feedback
from fmrl_robot.protocols import Planner
from fmrl_robot.registry import METHODS
from fmrl_robot.robots import robot as get_robot
from fmrl_robot.runtime.feedback import channels_for
from fmrl_robot.runtime.triggers import trigger_for
from fmrl_robot.types import Plan, PlanStatus, Scene, Usage

ROBOTS = {"arm": "panda", "quadruped": "go2"}
GOOD = {"arm": "put(red_cube,bowl)", "quadruped": "trot(0.5);stand(0)"}
SCENES = {"arm": make_scene(), "quadruped": Scene(stamp_s=0.0)}


TEMPLATE = Path(__file__).parents[2] / "docs/templates/my_method.py"


def template():
    spec = importlib.util.spec_from_file_location("my_method", TEMPLATE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.MyMethod


def cases():
    for factory in (*map(METHODS.load, METHODS.names()), template()):
        for kind in factory.card.robots:
            yield pytest.param((factory, kind), id=f"{factory.card.name}-{kind}")


@pytest.fixture(params=cases())
def method(request):
    return request.param


def build(method, answer):
    factory, kind = method
    model = ScriptedLM({"": answer})
    planner = factory(model)
    planner.reset("do it", ROBOTS[kind])
    return planner, SCENES[kind], model


def test_the_card_is_complete_and_json(method):
    card = method[0].card
    assert isinstance(card, MethodCard)
    assert card.name and card.reference and card.differs and card.ablation and card.needs
    assert json.dumps({f: getattr(card, f) for f in card.__slots__})


def test_it_is_a_planner(method):
    assert isinstance(build(method, GOOD[method[1]])[0], Planner)


def test_a_good_answer_becomes_a_plan_that_passes_the_check(method):
    planner, scene, _ = build(method, GOOD[method[1]])
    plan = planner.propose(Context.of(scene))
    assert isinstance(plan, Plan) and plan.status is PlanStatus.PROPOSED and plan.subgoals
    assert plan.instruction == "do it" and plan.method == method[0].card.name
    assert check(plan, scene, get_robot(ROBOTS[method[1]])) == ()
    assert [s.id for s in plan.subgoals] == [str(i + 1) for i in range(len(plan.subgoals))]
    assert all(s.text for s in plan.subgoals)


def test_it_is_deterministic(method):
    def once():
        planner, scene, _ = build(method, GOOD[method[1]])
        return [
            (s.skill, s.target, s.text, s.velocity)
            for s in planner.propose(Context.of(scene)).subgoals
        ]

    assert once() == once()


@pytest.mark.parametrize("text", ["", "hello", "put(", "trot(0.5", "{}", "\x00", "a" * 5000])
def test_malformed_output_is_retryable_and_says_what_was_expected(method, text):
    planner, scene, _ = build(method, text)
    with pytest.raises(Retryable, match="expected"):
        planner.propose(Context.of(scene))


def test_feedback_reaches_the_model(method):
    planner, scene, model = build(method, GOOD[method[1]])
    planner.propose(
        Context.of(scene, Feedback(channel="check", text="step 1: the drawer is closed"))
    )
    assert "the drawer is closed" in model.prompts[-1]


def test_a_refusal_of_the_model_is_terminal_with_a_code(method):
    planner, scene, _ = build(method, "refuse(unsafe)")
    with pytest.raises(Terminal) as caught:
        planner.propose(Context.of(scene))
    assert caught.value.code == ErrorCode.INSTRUCTION_REFUSED


@pytest.mark.parametrize(
    "instruction, code",
    [
        ("", ErrorCode.INSTRUCTION_EMPTY),
        (" \n\t ", ErrorCode.INSTRUCTION_EMPTY),
        ("a" * 10_000, ErrorCode.INSTRUCTION_TOO_LONG),
    ],
)
def test_no_instruction_and_a_novel_are_refused_before_any_model_is_asked(
    method, instruction, code
):
    planner, _, model = build(method, GOOD[method[1]])
    with pytest.raises(Terminal) as caught:
        planner.reset(instruction, ROBOTS[method[1]])
    assert caught.value.code == code and not model.prompts


def test_every_question_is_metered_once(method):
    planner, scene, _ = build(method, GOOD[method[1]])
    planner.propose(Context.of(scene))
    (usage,) = planner.usage()
    assert usage.model == "scripted" and len(usage.prompt_sha256) == 64
    assert planner.usage() == ()


class HalfScores:
    """Scores in vain: what it began to answer is to be paid for."""

    model_id = "half"

    def score(self, prompts, continuations, *, images=(), role="score"):
        error = Retryable("expected scores, got an answer that did not end")
        error.usage = Usage(
            role=role, model="half", prompt_sha256="0" * 64, prompt_tokens=7, completion_tokens=3
        )
        raise error


def test_an_answer_that_nobody_could_use_is_metered_as_well(method):
    factory, kind = method
    if "Generates" not in factory.card.needs:
        planner = factory(HalfScores())
        planner.reset("do it", ROBOTS[kind])
        for _ in range(2):
            with pytest.raises(Retryable, match="did not end"):
                planner.propose(Context.of(SCENES[kind]))
        assert [(u.role, u.prompt_tokens, u.completion_tokens) for u in planner.usage()] == [
            ("plan", 7, 3)
        ] * 2
        assert planner.usage() == ()
        return
    with fault_server.serving(fault_server.answer("half a", finish="length")) as server:
        planner = factory(load_language_model(f"openai:m@{server.url}?total_s=5"))
        planner.reset("do it", ROBOTS[kind])
        for _ in range(2):
            with pytest.raises(Retryable, match="did not end"):
                planner.propose(Context.of(SCENES[kind]))
    usages = planner.usage()
    assert [(u.role, u.calls, u.prompt_tokens, u.completion_tokens) for u in usages] == [
        ("plan", 1, 7, 3)
    ] * 2
    assert planner.usage() == ()


def test_the_card_names_a_trigger_and_channels_that_there_are(method):
    planner, *_ = build(method, GOOD[method[1]])
    assert trigger_for(planner) and isinstance(channels_for(planner), tuple)


class OnlyScores:
    model_id = "only-scores"

    def score(self, prompts, continuations, *, images=(), role="score"):
        return [[0.0 for _ in several] for several in continuations]


class OnlyGenerates:
    model_id = "only-generates"

    def generate(self, prompt, **how):
        return ()


LACKING = {"Generates": OnlyScores, "Scores": OnlyGenerates}


def test_a_model_without_the_capability_is_refused_at_build_time_naming_both(method):
    for need in method[0].card.needs:
        lacking = LACKING[need]()
        with pytest.raises(ConfigError, match=lacking.model_id) as caught:
            method[0](lacking)
        assert method[0].card.name in str(caught.value)
        assert caught.value.code == ErrorCode.CAPABILITY_MISSING


def test_it_is_built_with_what_the_planner_node_gives(method):
    factory, kind = method
    planner = factory(model=ScriptedLM({"": GOOD[kind]}), temperature=0.3, seed=4)
    planner.reset("do it", ROBOTS[kind])
    assert planner.propose(Context.of(SCENES[kind])).subgoals


def test_the_wrong_kind_of_robot_is_refused(method):
    planner, *_ = build(method, GOOD[method[1]])
    other = next(r for k, r in ROBOTS.items() if k not in method[0].card.robots)
    with pytest.raises(FmrlError) as caught:
        planner.reset("do it", other)
    advised = re.findall(r"\w+", str(caught.value).partition("choose ")[2])
    cards = [METHODS.load(name).card for name in advised if name in METHODS.names()]
    assert cards and all(get_robot(other).kind in card.robots for card in cards)

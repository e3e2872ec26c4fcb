"""What chat models put around a plan costs no second question, and no plan is read out of prose.

A server on loopback counts the questions, with the executive and its repairs before it.
"""

import fault_server as fs
import pytest

from fmrl_robot.errors import ErrorCode, Retryable, Terminal
from fmrl_robot.evaluations.language_judge import make_scene
from fmrl_robot.fm import load_language_model
from fmrl_robot.fm.constraints import Rule
from fmrl_robot.fm.scripted import ScriptedLM
from fmrl_robot.methods.psl import PSL
from fmrl_robot.methods.saytap import SayTap
from fmrl_robot.planners import gait_language, plan_language
from fmrl_robot.planning import Context
from fmrl_robot.robots import robot as get_robot
from fmrl_robot.runtime.executive import Executive, Ports

DRESSES = (
    "{}\n",
    "\n\n{}",
    "{};",
    "`{}`",
    "Answer: {}",
    "**Answer:** {}",
    "```\n{}\n```",
    "```gbnf\n{}\n```",
    "```{}```",
    "Sure! This is the plan:\n\n```text\n{}\n```\nIt needs two steps.",
    "<think>{} or rather the bin?</think>\n\n{}",
    "first this, then that\n</think>\n\n{}",
    "<thinking>\nhm\n</thinking>\n{}",
)
ARM = "grasp(red_cube); place(bowl)"
DOG = "trot(0.5, t=5); stand(0)"
NO_PLANS = (
    "do not grasp(red_cube)",
    "Do not do this:\n```\nput(red_cube,bowl)\n```\nIt is unsafe.",
    "```\nput(red_cube,bowl)\n```\nor\n```\nput(red_cube,bin)\n```",
    "put(red_cube,bowl) or put(red_cube,bin)",
    "Sure, put(red_cube,bowl)",
    "<think>put(red_cube,bowl)",
    "put(red_cube,bowl)</think>",
    "put(red_cube,bowl);refuse(unsafe)",
    "never trot(0.5)",
    "Never do this:\n```\ntrot(0.5)\n```",
    "```\ntrot(0.5)\n```\n```\ntrot(-0.5)\n```",
    "trot(0.5)</think>",
)


ASKED = {"panda": "red in the bowl", "go2": "trot forward slowly, then stand"}


def plan_for(server, robot, settings="total_s=20"):
    """Plan through the executive; return how it ended."""
    model = load_language_model(f"openai:m@{server.url}?{settings}")
    planner = PSL(model) if robot == "panda" else SayTap(model)
    scene = make_scene()
    ports = Ports(
        scene=lambda: scene, execute=None, announce=lambda plan: None,
        note=lambda phase, text: None, interrupted=lambda: None,
    )  # fmt: skip
    return Executive(planner, get_robot(robot), ports).propose(ASKED[robot])


def said(plan):
    return [s.skill or s.text.split()[2] for s in plan.subgoals]


@pytest.mark.parametrize("robot, plan", [("panda", ARM), ("go2", DOG)], ids=["arm", "dog"])
def test_a_dressed_plan_is_read_at_the_first_call(robot, plan):
    wanted = ["grasp", "place"] if robot == "panda" else ["trots", "stands"]
    for dress in DRESSES:
        with fs.serving(fs.answer(dress.replace("{}", plan))) as server:
            ending = plan_for(server, robot)
            assert ending.outcome.success, f"{dress!r}: {ending.outcome.message}"
            assert said(ending.plan) == wanted and len(server.bodies) == 1, dress


@pytest.mark.parametrize("dress", ["{};", "```\n{}\n```", "That is unsafe:\n```\n{}\n```"])
@pytest.mark.parametrize("robot", ["panda", "go2"])
def test_a_dressed_refusal_ends_the_task_at_the_first_call(robot, dress):
    with fs.serving(fs.answer(dress.format("refuse( unsafe )"))) as server:
        outcome = plan_for(server, robot).outcome
        assert outcome.error_code == ErrorCode.INSTRUCTION_REFUSED and len(server.bodies) == 1


@pytest.mark.parametrize("text", NO_PLANS)
def test_what_is_no_plan_is_read_by_neither_language(text):
    for parse in (plan_language.parse, gait_language.parse):
        with pytest.raises(Retryable, match="expected"):
            parse(text)
    for grammar in (plan_language.GRAMMAR, gait_language.GRAMMAR):
        assert Rule(grammar=grammar).read(text)[1]


def test_prose_is_asked_again_and_never_carried_out():
    with fs.serving(fs.answer("do not grasp(red_cube)")) as server:
        ending = plan_for(server, "panda")
        assert ending.outcome.error_code == ErrorCode.REPAIRS_EXHAUSTED
        assert not ending.plan.subgoals and len(server.bodies) == 9


def test_a_model_that_is_held_to_no_grammar_may_dress_its_plans_too():
    """Of a table or a cassette the plan languages themselves read the answer."""
    arm = PSL(ScriptedLM({"red": f"Answer: `{ARM}`"}))
    arm.reset("red in the bowl", "panda")
    dog = SayTap(ScriptedLM({"trot": f"```\n{DOG}\n```"}))
    dog.reset("trot, then stand", "go2")
    assert said(arm.propose(Context.of(make_scene()))) == ["grasp", "place"]
    assert said(dog.propose(Context.of(make_scene()))) == ["trots", "stands"]
    with pytest.raises(Terminal, match="declined"):
        plan_language.parse("```\nrefuse(unknown);\n```")


@pytest.mark.parametrize(
    "mute",
    [fs.think("red goes in the bowl"), fs.think("hm " * 9, "put(red", "length", "reasoning"),
     fs.answer("<think>red goes", finish="length"), fs.answer("<think>red goes")],
)  # fmt: skip
def test_thoughts_without_a_plan_name_the_setting_and_are_no_plan(mute):
    with fs.serving(mute) as server:
        outcome = plan_for(server, "panda").outcome
        assert outcome.error_code == ErrorCode.REPAIRS_EXHAUSTED and len(server.bodies) == 3
    assert all(name in outcome.message for name in ("max_tokens", "thinking", "reasoning_effort"))


def test_thoughts_beside_a_plan_are_no_part_of_it():
    with fs.serving(fs.think("put(blue_cube,bin)", ARM, field="reasoning")) as server:
        ending = plan_for(server, "panda", "max_tokens=3000&thinking=on")
        assert said(ending.plan) == ["grasp", "place"]
        (body,) = server.bodies
    assert body["max_tokens"] == 3000 and body["chat_template_kwargs"]["enable_thinking"] is True

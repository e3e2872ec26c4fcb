"""What is taken off an answer, and what is left on: nothing is read out of prose."""

import re
import time

import pytest

from fmrl_robot.fm.undressing import calls, split_thoughts, undressed

PLAN = "grasp(red_cube);place(bowl)"


@pytest.mark.parametrize(
    "said",
    [
        PLAN,
        f"{PLAN}\n",
        f"\n\n  {PLAN}  ",
        f"{PLAN};",
        f"{PLAN}.",
        "grasp(red_cube); place(bowl)",
        "grasp( red_cube ) ;place (bowl) ;",
        "grasp(red_cube)\nplace(bowl)",
        "grasp(red_cube);\n\nplace(bowl);\n",
        "grasp(red_cube),\nplace(bowl)",
        "1. grasp(red_cube)\n2. place(bowl)",
        "- grasp(red_cube)\n- place(bowl)",
        "grasp(\n  red_cube\n);place(\n  bowl\n)",
        "grasp(red\\_cube);place(bowl)",
        f"`{PLAN}`",
        f"``{PLAN}``",
        f'"{PLAN}"',
        f"**{PLAN}**",
        f"Answer: {PLAN}",
        f"answer:\n{PLAN}",
        f"**Answer:** `{PLAN}`",
        f"**Plan**: {PLAN}",
        f"### Final answer: {PLAN}",
        f"The plan is: {PLAN}",
        f"Sure! Here is the plan:\n\n{PLAN}",
        f"Here's my answer: {PLAN}",
        f"assistant: {PLAN}",
        f"<answer>{PLAN}</answer>",
        f"{PLAN}<|im_end|>",
        f"{PLAN}</s>",
        f"```\n{PLAN}\n```",
        f"```plan\n{PLAN}\n```",
        f"```{PLAN}```",
        f"```text {PLAN}```",
        f"```{PLAN}\n```",
        f"~~~\n{PLAN}\n~~~",
        f"```\n{PLAN}",
        "```\ngrasp(red_cube);\nplace(bowl);\n```",
        f"```\n`{PLAN}`\n```",
        f"Sure! Here is the plan:\n\n```python\n{PLAN}\n```\n\nIt moves the red cube.",
        f"Here: ```{PLAN}```",
        f"```\n{PLAN}\n```\nAnswer: {PLAN};",
        f"Once more:\n```\n{PLAN}\n```\nAs one line:\n```grasp(red_cube); place(bowl)```",
        f"<think>grasp(blue_cube)?</think>\n\n```\n{PLAN}\n```",
    ],
)
def test_dress_is_taken_off(said):
    assert calls(said) == PLAN
    assert calls(calls(said)) == PLAN


@pytest.mark.parametrize(
    "plan",
    ["put(each(on_table-red_cube-blue_cube),bin)", "put(any(2,in_bowl),at_blue_cube)",
     "trot(-0.5,fast=FR,t=5);stand(0,up=FL)", "refuse(unsafe)", "done"],
)  # fmt: skip
def test_what_wears_nothing_stays_as_it_is(plan):
    assert calls(plan) == undressed(plan) == plan
    spaced = plan.replace(",", " , ").replace(";", " ;\n").replace("=", " = ")
    assert calls(f"```\n{spaced}\n```") == plan


@pytest.mark.parametrize(
    "said",
    [
        "do not grasp(red_cube)",
        "I would never put(red_cube,bowl).",
        "put(red_cube,bowl) or put(red_cube,bin)",
        "put(red_cube,bowl)\nor\nput(red_cube,bin)",
        "`put(red_cube,bowl)` or `put(red_cube,bin)`",
        "~~put(red_cube,bowl)~~",
        "Plan to avoid: put(red_cube,bowl)",
        "Here is the plan that I refuse:\nput(red_cube,bowl)",
        "Here is the plan:\nput(red_cube,bowl)\nIt is unsafe.",
        "Answer: whatever you do, not put(red_cube,bowl)",
        "Do not do this:\n```\nput(red_cube,bowl)\n```",
        "```\nput(red_cube,bowl)\n```\nThis would be unsafe.",
        "You mustn't\n```\nput(red_cube,bowl)\n```",
        "```\nput(red_cube,bowl)\n```\nBetter:\n```\nput(red_cube,bin)\n```",
        "```\nput(red_cube,bowl)\n```\nAnswer: put(red_cube,bin)",
        "put(red_cube,bin)\n```\nput(red_cube,bowl)\n```",
        "Sure, put(red_cube,bowl)",
        "I cannot do that.",
        "```\n```",
    ],
)
def test_no_steps_are_read_out_of_prose_or_of_two_answers(said):
    assert not re.fullmatch(r"(\w+\([\w,]*\);?)+", calls(said))


def test_a_refusal_is_read_beside_any_prose():
    assert calls("That would not be safe:\n```\nrefuse(unsafe)\n```") == "refuse(unsafe)"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("<think>a</think>yes", "yes"),
        ("<think></think>\n\nyes", "\n\nyes"),
        ("red goes in the bowl\n</think>\n\nyes", "\n\nyes"),
        ("<thinking>\na\n</thinking> yes", " yes"),
        ("<THOUGHT>a</THOUGHT>yes", "yes"),
        ("[THINK]a[/THINK]yes", "yes"),
        ("<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>yes",
         "yes"),
        ("<think>a</think>b</think>yes", "yes"),
        ("<think>a", ""),
        ("<think>a</think>", ""),
        ("no\n<think>or rather", ""),
        ("<think>a</think>no<think>b", ""),
        ("I think so", "I think so"),
        ("a < b and b > c", "a < b and b > c"),
    ],
)  # fmt: skip
def test_thoughts_and_answer_do_not_mix(said, answer):
    found, thoughts = split_thoughts(said)
    assert found == answer and (thoughts + found == said or not found)
    assert bool(thoughts) == (found != said)


@pytest.mark.parametrize(
    "evil",
    [")" + " " * 200_000 + "x", "Answer: " * 50_000, "</s>" * 50_000 + "x", "```" * 50_000,
     "`" * 200_000, "<think>" * 50_000, "a() ;" * 50_000 + "x", "- " * 100_000],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_no_answer_takes_long_to_read(evil):
    """A server may send anything, and a planner reads it while the robot waits."""
    began = time.monotonic()
    calls(evil)
    assert time.monotonic() - began < 5

import json

import numpy as np
import pytest
from step_planner import Scripted, grasp
from step_planner import plan as plan_of

from fmrl_robot.commands import plan as plan_command
from fmrl_robot.errors import ConfigError
from fmrl_robot.registry import METHODS, SCENES
from fmrl_robot.robots import robot as get_robot
from fmrl_robot.safety import Gate
from fmrl_sim.body import MujocoBody
from fmrl_sim.true_scene import true_scene


@pytest.fixture
def answers(tmp_path):
    def write(answer):
        file = tmp_path / "answers.json"
        file.write_text(json.dumps({"": answer}))
        return f"scripted:{file}"

    return write


def plan(capsys, *words):
    code = plan_command.main([*words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_an_arm_plan_is_printed_with_its_steps_goal_model_and_usage(capsys, answers):
    model = answers("put(red_cube,bowl)")
    code, answer = plan(capsys, "red in bowl", "--seed", "3", "--language-model", model)
    assert code == 0 and answer["status"] == "VALID" and answer["seed"] == 3
    assert [(s["skill"], s["target"]) for s in answer["subgoals"]] == [
        ("grasp", "red_cube"),
        ("place", "bowl"),
    ]
    assert answer["goal"] == ["in(red_cube, bowl)"] and answer["scene_source"] == "ground_truth"
    assert answer["model"].startswith("scripted") and answer["usage"][0]["calls"] == 1


def test_a_gait_plan_shows_rows_by_leg_and_velocity(capsys, answers):
    model = answers("trot(0.5,t=5);stand(0)")
    code, answer = plan(capsys, "trot, then stand", "--robot", "go2", "--language-model", model)
    trot, still = answer["subgoals"]
    assert code == 0 and trot["velocity"]["vx"] == 0.5 and trot["duration_s"] == 5.0
    assert trot["pattern"]["FL"] == trot["pattern"]["RR"] == "1" * 16 + "0" * 10
    assert set(still["pattern"].values()) == {"1" * 26} and still["velocity"]["vx"] == 0.0


@pytest.mark.parametrize(
    "answer, name",
    [
        ("refuse(unsafe)", "INSTRUCTION_REFUSED"),
        ("put(red_cube,drawer)", "PRECONDITION_UNMET"),
        ("put(unicorn,bowl)", "OBJECT_UNKNOWN"),
        ("gibberish", "MODEL_OUTPUT_MALFORMED"),
    ],
)
def test_a_refusal_has_its_code_and_exit_code_one(capsys, answers, answer, name):
    code, printed = plan(capsys, "do it", "--language-model", answers(answer))
    assert code == 1 and printed["status"] == "REFUSED"
    assert name in {r["name"] for r in printed["refusal"]}


@pytest.mark.parametrize("text, name", [("", "EMPTY"), ("a" * 10_000, "TOO_LONG")])
def test_empty_and_huge_instructions_are_refused(capsys, answers, text, name):
    code, printed = plan(capsys, text, "--language-model", answers("press(button)"))
    assert code == 1 and printed["refusal"][0]["name"] == f"INSTRUCTION_{name}"
    assert printed["usage"] == []


def test_in_words(capsys, answers):
    plan_command.main(["x", "--language-model", answers("press(button)")])
    assert "1. the button is pressed" in capsys.readouterr().out


def test_of_a_planner_that_gives_a_step_at_a_time_the_first_is_shown(capsys):
    planner = Scripted([plan_of(grasp("red_cube"))])
    planner.card = type("Card", (), {"trigger": "on_finish"})()
    with METHODS.lent("stepwise", lambda **_: planner):
        task = ["put the red cube in the bowl", "--method", "stepwise"]
        code, answer = plan(capsys, *task)
        assert code == 0 and not answer["whole"]
        assert [s["skill"] for s in answer["subgoals"]] == ["grasp"]
        planner.card.trigger = "never"  # of a whole plan the same step is half of what is asked for
        code, answer = plan(capsys, *task)
        assert code == 1 and answer["whole"]
        assert "INTENT_INCOMPLETE" in {r["name"] for r in answer["refusal"]}


def test_an_unknown_robot_is_a_configuration_error(answers):
    with pytest.raises(ConfigError):
        plan_command.main(["x", "--robot", "r2d2", "--language-model", answers("press(button)")])


@pytest.mark.parametrize("robot, scene", [("panda", "tabletop"), ("go2", "ground")])
def test_it_plans_in_the_scene_that_the_graph_would_have(robot, scene):
    """Poses are of the centres of boxes, as SceneObject promises, not of the origins of bodies."""
    planned = plan_command.scene_of_seed(robot, 4)
    body = MujocoBody(SCENES.load(scene)(robot=robot), Gate(get_robot(robot)), seed=4)
    run = true_scene(body)
    assert planned.predicates == run.predicates
    for one, other in zip(planned.objects, run.objects, strict=True):
        assert one.name == other.name
        assert np.allclose(one.pose.position, other.pose.position, atol=1e-9), one.name
        assert np.allclose(one.pose.quaternion, other.pose.quaternion, atol=1e-9), one.name
    stands = [o for o in planned.objects if o.category in ("bowl", "bin", "marker")]
    assert stands
    for thing in stands:
        floor = thing.pose.position[2] - thing.size[2] / 2
        assert abs(floor) < 0.01, f"{thing.name} stands {floor:.3f} m above the ground"

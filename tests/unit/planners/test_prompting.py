"""Which prompt a model gets: the guide, or the one line that this project's own models know."""

import fault_server as fs
import pytest

from fmrl_robot.errors import ConfigError
from fmrl_robot.evaluations.language_judge import make_scene
from fmrl_robot.fm import Budget, guarded, load_language_model
from fmrl_robot.methods.psl import GUIDE, PSL
from fmrl_robot.methods.saytap import SayTap
from fmrl_robot.planners.prompting import short_prompt
from fmrl_robot.planning import Context, Feedback

ARM_LINE = "arm: red in the bowl =>"


def served(server, settings):
    return load_language_model(f"openai:any-name@{server.url}?total_s=5&{settings}")


def told(server):
    return [body["messages"][0]["content"] for body in server.bodies]


def propose(planner, robot="panda", instruction="red in the bowl", feedback=""):
    planner.reset(instruction, robot)
    told = [Feedback(channel="check", text=feedback)] if feedback else []
    return planner.propose(Context.of(make_scene(), *told))


def test_a_served_model_gets_the_guide_unless_it_is_said_to_know_the_line():
    with fs.serving(fs.answer("put(red_cube,bowl)")) as server:
        long = propose(PSL(served(server, "prompts=full")))
        default = propose(PSL(served(server, "failures=3")))
        short = propose(PSL(served(server, "prompts=short")))
        assert told(server)[0] == told(server)[1]
        assert told(server)[0].startswith(GUIDE) and "Objects: " in told(server)[0]
        assert told(server)[2] == ARM_LINE
        assert all(body["grammar"] for body in server.bodies)
    assert long == default == short


def test_it_is_the_line_that_the_causal_model_was_taught():
    assert short_prompt("arm", "red in the bowl") == ARM_LINE
    with fs.serving(fs.answer("trot(0.5)")) as server:
        propose(SayTap(served(server, "prompts=short")), "go2", "trot slowly")
        assert told(server) == [short_prompt("quadruped", "trot slowly")]


def test_the_statement_shows_through_cache_and_budget(tmp_path):
    with fs.serving(fs.answer("put(red_cube,bowl)")) as server:
        propose(PSL(guarded(served(server, "prompts=short"), tmp_path, Budget(calls=9))))
        assert told(server) == [ARM_LINE]


def test_an_answer_off_the_grammar_is_sampled_anew_with_the_line_alone():
    """Neither grammar nor complaint in words: it was taught neither."""
    with fs.serving(fs.answer("Sure!"), fs.answer("put(red_cube,bowl)")) as server:
        planner = PSL(served(server, "prompts=short&grammar=none"))
        for _ in range(2):
            assert [s.skill for s in propose(planner).subgoals] == ["grasp", "place"]
        assert told(server) == [ARM_LINE] * 3
        assert [body["temperature"] for body in server.bodies] == [0.0, 0.7, 0.0]
        assert server.bodies[1]["seed"] == 1


def test_a_plan_that_was_refused_is_sampled_anew_with_the_line_alone():
    with fs.serving(fs.answer("put(red_cube,bowl)")) as server:
        propose(PSL(served(server, "prompts=short")), feedback="step 1: the bowl is full")
        assert told(server) == [ARM_LINE] and server.bodies[0]["temperature"] == 0.7


def test_other_prompts_are_refused_by_name():
    with pytest.raises(ConfigError, match="prompts"):
        load_language_model("openai:m@http://localhost:1/v1?prompts=tiny")


def test_what_was_found_out_stands_in_the_prompt_and_a_persons_words_are_quoted():
    """Only refusals and failures are complaints: a plan is not sampled anew for a caption."""
    news = (
        Feedback(channel="person", text="the red one", about="Which cube?"),
        Feedback(channel="scene", text="a table with three cubes"),
    )
    with fs.serving(fs.answer("put(red_cube,bowl)")) as server:
        planner = PSL(served(server, "prompts=full"))
        planner.reset("red in the bowl", "panda")
        planner.propose(Context.of(make_scene(), *news))
        (said,) = told(server)
        assert 'You asked: "Which cube?" The answer: "the red one"' in said
        assert "scene: a table with three cubes" in said and "refused" not in said
        assert server.bodies[0]["temperature"] == 0.0
        planner.propose(Context.of(make_scene(), *news, Feedback(channel="outcome", text="slip")))
        assert "Your last answer was refused: slip\n" in told(server)[1]
        assert server.bodies[1]["temperature"] == 0.7

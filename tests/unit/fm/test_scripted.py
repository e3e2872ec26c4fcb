"""The oracle and its dials."""

import math
import time
from collections import Counter

import numpy as np
import pytest

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.evaluations.language_judge import make_scene
from fmrl_robot.fm import load_language_model
from fmrl_robot.fm.network import check_reachable
from fmrl_robot.fm.scripted import UNLIKELY, ScriptedLM
from fmrl_robot.planners.prompting import describe_scene

SOME = {"": {"a": 6.0, "b": 3.0, "c": 1.0}}


def text(model, prompt="x", **arguments):
    return model.generate(prompt, **arguments)[0].text


def drawn(model, count=4000, **arguments):
    completions = model.generate("x", n=count, temperature=1.0, **arguments)
    return {t: n / count for t, n in Counter(c.text for c in completions).items()}


def test_it_sees_no_pictures_and_says_so():
    model, picture = ScriptedLM({"": "red"}), np.zeros((2, 2, 3), np.uint8)
    assert text(model, images=[]) == "red" and model.score(["x"], [["red"]], images=[[]])
    for ask in (
        lambda: model.generate("x", images=[picture]),
        lambda: model.score(["x", "y"], [["red"], ["red"]], images=[[], [picture]]),
    ):
        with pytest.raises(ConfigError, match="'scripted' reads text only") as caught:
            ask()
        assert caught.value.code == ErrorCode.CAPABILITY_MISSING


# --- errors ---------------------------------------------------------------------------------------


def test_the_error_rate_is_a_dial():
    wrong = {
        rate: sum(
            text(ScriptedLM({"": "right"}, error_rate=rate, wrong=("wrong",), seed=s)) == "wrong"
            for s in range(200)
        )
        for rate in (0.0, 0.3, 1.0)
    }
    assert wrong[0.0] == 0 and wrong[1.0] == 200 and 40 <= wrong[0.3] <= 80


def test_whether_it_errs_depends_on_the_question_not_on_the_order():
    prompts = [f"question {i}" for i in range(50)]
    one, other = (ScriptedLM({"": "right"}, error_rate=0.5, seed=1) for _ in range(2))
    said = {p: text(one, p) for p in prompts}
    assert {p: text(other, p) for p in reversed(prompts)} == said
    assert len(set(said.values())) == 2
    sampled = {text(one, prompts[0], temperature=1.0, seed=s) for s in range(20)}
    assert len(sampled) == 2  # asked again with another seed it may do better


def test_an_erring_oracle_scores_a_wrong_continuation_best():
    right = ScriptedLM({"": "put"}).score(["x"], [["grasp", "put"]])[0]
    assert right.sums.argmax() == 1 and right.usage.role == "score" and right.sums[1] == 0.0
    wrong = ScriptedLM({"": "put"}, error_rate=1.0)
    best = {
        int(wrong.score([f"{i}"], [["grasp", "put", "open"]])[0].sums.argmax()) for i in range(40)
    }
    assert best == {0, 2}
    only = wrong.score(["x"], [["put"]])[0]
    assert only.sums[0] == 0.0  # nothing wrong is offered


# --- several valid answers ------------------------------------------------------------------------


def test_several_answers_are_drawn_by_their_weights():
    share = drawn(ScriptedLM(SOME))
    assert share == pytest.approx({"a": 0.6, "b": 0.3, "c": 0.1}, abs=0.03)
    assert text(ScriptedLM(SOME)) == "a"


@pytest.mark.parametrize(
    ("spread", "shares"),
    [(0.0, (1.0, 0.0, 0.0)), (0.5, (36 / 46, 9 / 46, 1 / 46)), (1e9, (1 / 3, 1 / 3, 1 / 3))],
)
def test_the_spread_is_a_dial_for_drawing_and_scoring_alike(spread, shares):
    model = ScriptedLM(SOME, spread=spread)
    share = drawn(model)
    assert [share.get(t, 0.0) for t in "abc"] == pytest.approx(shares, abs=0.03)
    scores = model.score(["x"], [["a", " b", "c", "d"]])[0].sums
    expected = [math.log(p) if p else UNLIKELY for p in (*shares, 0.0)]
    assert list(scores) == pytest.approx(expected, abs=1e-6)


def test_log_probabilities_of_answers_are_those_of_their_scores():
    model = ScriptedLM(SOME)
    for completion in model.generate("x", n=20, temperature=1.0, logprobs=True):
        (scores,) = model.score(["x"], [[completion.text]])
        assert completion.token_logprobs == scores.token_logprobs[0]
    assert model.generate("x")[0].token_logprobs == ()


def test_temperature_sharpens_and_seeds_repeat():
    model = ScriptedLM(SOME)
    cold = Counter(c.text for c in model.generate("x", n=500, temperature=0.2))
    assert cold["a"] > 450
    again = [[c.text for c in model.generate("x", n=9, temperature=1.0, seed=s)] for s in (1, 1, 2)]
    assert again[0] == again[1] != again[2]


# --- blindness ------------------------------------------------------------------------------------

SIGHTED = {
    ("tidy up", "- closed(drawer)"): "open(drawer)",
    "tidy up": "put(each(on_table),drawer)",
    "red_cube": "grasp(red_cube)",
}


def test_a_blind_oracle_answers_as_if_the_scene_were_not_in_the_prompt():
    prompt = f'Guide.\n\n{describe_scene(make_scene())}\n\nInstruction: "tidy up"\nAnswer:'
    assert "red_cube" in prompt
    assert text(ScriptedLM(SIGHTED), prompt) == "open(drawer)"
    seen = []

    def look(what):
        seen.append(what)
        return "looked"

    blind = ScriptedLM(SIGHTED, blindness=1.0)
    assert text(blind, prompt) == "put(each(on_table),drawer)" and blind.prompts == [prompt]
    text(ScriptedLM({"": look}, blindness=1.0), prompt)
    assert seen == ['Guide.\n\n\nInstruction: "tidy up"\nAnswer:']
    half = [
        text(ScriptedLM(SIGHTED, blindness=0.5, seed=s), prompt) == "open(drawer)"
        for s in range(100)
    ]
    assert 30 <= sum(half) <= 70


# --- the rest -------------------------------------------------------------------------------------


def test_latency_is_waited_and_told():
    model, began = ScriptedLM({"": "yes"}, latency_s=0.1), time.monotonic()
    (completion,) = model.generate("x")
    (scores,) = model.score(["x"], [["yes"]])
    assert time.monotonic() - began >= 0.2
    assert completion.usage.latency_s >= 0.1 and scores.usage.latency_s >= 0.1
    assert ScriptedLM({"": "yes"}).generate("x")[0].usage.latency_s == 0.0


def test_answers_end_before_a_stop_string():
    assert text(ScriptedLM({"": "a;b;c"}), stop=["c", ";"]) == "a"


def test_the_longest_key_answers_and_a_missing_one_is_said():
    model = ScriptedLM({"cube": "a", "red cube": "b", ("take", "cube"): "c"})
    assert text(model, "the red cube") == "b"
    assert text(model, "take the red cube") == "b" and text(model, "take a cube") == "c"
    with pytest.raises(ConfigError, match="scripted answer"):
        model.generate("bowl")


@pytest.mark.parametrize(
    "dial", [{"error_rate": 1.5}, {"blindness": -0.1}, {"spread": -1}, {"deafness": 0.5}]
)
def test_a_dial_out_of_its_range_is_named(dial):
    with pytest.raises(ConfigError, match=next(iter(dial))):
        ScriptedLM({"": "x"}, **dial)


def test_a_table_is_read_from_a_file(tmp_path):
    file = tmp_path / "answers.json"
    file.write_text('{"hello": "stand(0)", "go": {"trot(0.5)": 1, "pace(0.5)": 3}}')
    model = load_language_model(f"scripted:{file}")
    assert text(model, "hello") == "stand(0)" and text(model, "go") == "pace(0.5)"
    first = model.model_id
    file.write_text('{"hello": "stand(1)"}')
    assert load_language_model(f"scripted:{file}").model_id != first


def test_dials_are_read_from_a_file(tmp_path):
    file = tmp_path / "oracle.yaml"
    file.write_text(
        """
answers:
  - when: tidy up
    answer: put(each(on_table),bin)
  - when: [tidy up, "- closed(drawer)"]
    answer: {open(drawer): 3, refuse(impossible): 1}
error_rate: 0.25
wrong: [grasp(bowl)]
blindness: 1
spread: 2
latency_s: 0.01
seed: 7
"""
    )
    model = load_language_model(f"scripted:{file}")
    assert model.dials.error_rate == 0.25 and model.dials.wrong == ("grasp(bowl)",)
    assert (model.dials.blindness, model.dials.spread, model.dials.seed) == (1.0, 2.0, 7)
    assert text(model, "tidy up, - closed(drawer)") in ("open(drawer)", "grasp(bowl)")


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"x": 3}', '{"x": {"a": -1}}', '{"answers": {"x": "y"}, "deafness": 1}', "{"],
)
def test_what_is_no_table_is_refused(tmp_path, content):
    file = tmp_path / "answers.json"
    file.write_text(content)
    with pytest.raises(ConfigError):
        load_language_model(f"scripted:{file}")
    with pytest.raises(ConfigError, match="No such file"):
        load_language_model(f"scripted:{tmp_path / 'none.json'}")


def test_a_hub_id_is_refused_where_the_network_is_forbidden(monkeypatch):
    monkeypatch.setenv("FMRL_FORBID_NETWORK", "1")
    with pytest.raises(ConfigError) as caught:
        load_language_model("transformers:someone/some-model")
    assert caught.value.code == ErrorCode.MODEL_UNAVAILABLE
    monkeypatch.setenv("FMRL_FORBID_NETWORK", "0")
    check_reachable("someone/some-model")


def test_an_unknown_back_end_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"embedded.*openai.*recorded.*scripted"):
        load_language_model("oracle")

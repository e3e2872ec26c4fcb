"""Cassettes: what was asked once is answered again without a model, from a file made to be read."""

import json
import subprocess
import sys

import fault_server as fs
import numpy as np
import pytest

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.fm import load_language_model, require
from fmrl_robot.fm.asking import Asked, guarded
from fmrl_robot.fm.budget import Budget
from fmrl_robot.fm.capabilities import capabilities
from fmrl_robot.fm.cassette import Cassette
from fmrl_robot.registry import LANGUAGE_MODELS


@pytest.fixture
def table(tmp_path):
    file = tmp_path / "table.json"
    file.write_text(json.dumps({"red": "put(red_cube,bowl)", "x": "stand(0)"}))
    return f"scripted:{file}"


@pytest.fixture
def tape(tmp_path):
    return tmp_path / "tapes" / "answers.jsonl"


def test_a_recording_is_played_to_the_bit_without_its_model(tape, table, tmp_path):
    recording = load_language_model(f"recording:{tape},{table}")
    first = recording.generate("red, ö\n", n=2, temperature=0.7, seed=3, logprobs=True)
    scores = recording.score(["red"], [["put(red_cube,bowl)", "stand(0)"]])
    (tmp_path / "table.json").unlink()
    played = load_language_model(f"recorded:{tape}")
    again = played.generate("red, ö\n", n=2, temperature=0.7, seed=3, logprobs=True, role="other")
    assert [(c.text, c.token_logprobs) for c in again] == [
        (c.text, c.token_logprobs) for c in first
    ]
    assert again[0].usage.cached and again[0].usage.role == "other"
    assert again[0].usage.model == first[0].usage.model == played.model_id == recording.model_id
    replayed = played.score(["red"], [["put(red_cube,bowl)", "stand(0)"]])
    assert replayed[0].token_logprobs == scores[0].token_logprobs


def test_token_ids_are_played_as_they_were_sampled(tape, folder_of):
    model = f"transformers:{folder_of('causal')}"
    asked = {"grammar": "root ::= [a-c]{2,4}", "temperature": 1.0, "n": 4}
    first = load_language_model(f"recording:{tape},{model}").generate("go", **asked)
    again = load_language_model(f"recorded:{tape}").generate("go", **asked)
    assert [c.token_ids for c in again] == [c.token_ids for c in first]
    assert all(c.token_ids for c in again) and not any(c.token_logprobs for c in again)


def test_a_recording_without_token_ids_is_still_played(tape, table):
    load_language_model(f"recording:{tape},{table}").generate("red")
    assert "token_ids" not in tape.read_text()
    assert load_language_model(f"recorded:{tape}").generate("red")[0].token_ids == ()


def test_it_reads_like_a_conversation(tape, table):
    load_language_model(f"recording:{tape},{table}").generate("the red one?\nÄh.", max_tokens=9)
    header, line = tape.read_text("utf-8").splitlines()
    assert json.loads(header)["model"].startswith("scripted:table.json@")
    assert line.startswith('{"asked": "generate", "prompt": "the red one?\\nÄh.", "max_tokens": 9,')
    assert json.loads(line)["answer"]["texts"] == ["put(red_cube,bowl)"]


def test_what_is_recorded_is_not_asked_again_and_what_is_new_is_added(tape, table):
    recording = load_language_model(f"recording:{tape},{table}")
    recording.generate("red")
    more = load_language_model(f"recording:{tape},{table}")
    more.generate("red")
    more.generate("x")
    assert more._model.prompts == ["x"] and len(tape.read_text().splitlines()) == 3


def test_an_unknown_question_says_how_to_record_it(tape, table):
    load_language_model(f"recording:{tape},{table}").generate("red")
    played = load_language_model(f"recorded:{tape}")
    for prompt, more in (("blue", {}), ("red", {"temperature": 0.5}), ("red", {"n": 2})):
        with pytest.raises(ConfigError, match=f"recording:{tape},") as caught:
            played.generate(prompt, **more)
        assert caught.value.code == ErrorCode.MODEL_UNAVAILABLE and prompt in str(caught.value)


def test_it_offers_what_was_recorded(tape, table):
    load_language_model(f"recording:{tape},{table}").generate("red")
    played = load_language_model(f"recorded:{tape}")
    assert capabilities(played) == ("Generates",)
    with pytest.raises(ConfigError, match="Scores"):
        require(played, "Scores", by="a test")


def test_a_played_model_shapes_prompts_as_the_recorded_one_did(tape):
    class Small:
        model_id, short_prompts, sees_images = "small@1", True, True

    with LANGUAGE_MODELS.lent("small", lambda _: Small()):
        load_language_model(f"recording:{tape},small:")
    played = load_language_model(f"recorded:{tape}")
    assert played.short_prompts is True and played.sees_images is True


def test_vectors_are_kept_to_the_bit(tape):
    class Eye:
        model_id = "eye@1"

        def embed_images(self, images):
            generator = np.random.default_rng(0)
            return generator.standard_normal((len(images), 64)).astype(np.float32)

    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    first = Asked(Eye(), cache=Cassette(tape, {"model": "eye@1"})).embed_images([picture])
    again = load_language_model(f"recorded:{tape}").embed_images([picture])
    assert again.tobytes() == first.tobytes() and "2x2x3 uint8" in tape.read_text()


def test_a_line_that_was_cut_off_is_left_out_and_recorded_anew(tape, table, caplog):
    recording = load_language_model(f"recording:{tape},{table}")
    recording.generate("red")
    recording.generate("x")
    whole = tape.read_bytes()
    tape.write_bytes(whole[:-20])
    played = load_language_model(f"recorded:{tape}")
    assert "middle of a line" in caplog.text and played.generate("red")
    with pytest.raises(ConfigError, match="record it"):
        played.generate("x")
    load_language_model(f"recording:{tape},{table}").generate("x")
    assert tape.read_bytes() == whole


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"cassette": 1, "model": "m"}\nnonsense\n', "line 2"),
        ('{"cassette": 1, "model": "m"}\n{"asked": "generate"}\n', "line 2"),
        ('{"cassette": 1, "model": "m"}\n{"asked": "sing", "answer": 1}\n', "line 2"),
        ('{"cassette": 99, "model": "m"}\n', "line 1.*format 99"),
        ("[]\n", "line 1"),
        ("", "expected recorded answers"),
    ],
)
def test_what_is_no_cassette_is_refused_with_its_line(tape, content, said):
    tape.parent.mkdir()
    tape.write_text(content)
    with pytest.raises(ConfigError, match=said):
        load_language_model(f"recorded:{tape}")


def test_one_cassette_holds_one_model(tape, table, tmp_path):
    load_language_model(f"recording:{tape},{table}").generate("red")
    (tmp_path / "table.json").write_text('{"red": "another table"}')
    with pytest.raises(ConfigError, match=r"expected the model 'scripted:table.json@"):
        load_language_model(f"recording:{tape},{table}")


@pytest.mark.parametrize("name", ["recording:", "recording:file.jsonl", "recording:file.jsonl,"])
def test_a_recording_wants_a_model(name):
    with pytest.raises(ConfigError, match=r"expected recording:<file.jsonl>,<model name>"):
        load_language_model(name)


def test_played_answers_cost_nothing_and_get_no_second_cache(tape, table, tmp_path):
    load_language_model(f"recording:{tape},{table}").generate("red")
    played = guarded(load_language_model(f"recorded:{tape}"), tmp_path / "cache", Budget(calls=1))
    for _ in range(3):
        played.generate("red", max_tokens=256)
    assert played.budget.spent.calls == 0 and not (tmp_path / "cache").exists()


def test_a_server_is_recorded_like_any_other_model(tape):
    with fs.serving(fs.answer("put(red_cube,bowl)")) as server:
        name = f"openai:m@{server.url}?total_s=5"
        load_language_model(f"recording:{tape},{name}").generate("red")
    assert load_language_model(f"recorded:{tape}").generate("red")[0].text == "put(red_cube,bowl)"


RECORDER = """
import sys
from fmrl_robot.fm import load_language_model
recording = load_language_model(f"recording:{sys.argv[1]},{sys.argv[2]}")
for i in range(60):
    recording.generate(f"x {sys.argv[3]} {i} " + "y" * 5000)
"""


def test_recorders_together_write_whole_lines(tape, table):
    recorders = [
        subprocess.Popen([sys.executable, "-c", RECORDER, str(tape), table, str(i)])
        for i in range(3)
    ]
    assert [recorder.wait(60) for recorder in recorders] == [0, 0, 0]
    played = load_language_model(f"recorded:{tape}")
    assert len(tape.read_text().splitlines()) == 181
    assert played.generate("x 2 59 " + "y" * 5000)[0].text == "stand(0)"

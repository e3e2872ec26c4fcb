"""What is asked of a server, and what is made up for where it lacks something."""

import base64
import json
import threading

import cv2
import fault_server as fs
import numpy as np
import pytest

from fmrl_robot.errors import ConfigError, ErrorCode, Retryable
from fmrl_robot.fm import load_language_model
from fmrl_robot.fm.capabilities import capabilities
from fmrl_robot.fm.openai_settings import ServerSettings, parse_name

GRAMMAR = 'root ::= "put(" [a-z_]+ ")" | "stand"'
SCHEMA = {
    "type": "object",
    "properties": {"skill": {"type": "string"}, "times": {"type": "integer", "minimum": 1}},
    "required": ["skill", "times"],
    "additionalProperties": False,
}
PICTURE = np.zeros((4, 6, 3), np.uint8)
PICTURE[..., 0] = 255


def model_of(url, settings="total_s=5", name="good-model"):
    return load_language_model(f"openai:{name}@{url}?{settings}")


def texts(completions):
    return [c.text for c in completions]


# --- the question ---------------------------------------------------------------------------------


def test_a_plain_question_holds_what_was_asked_and_nothing_else():
    with fs.serving(fs.answer("yes")) as server:
        model_of(server.url).generate("hello", max_tokens=9)
        (body,) = server.bodies
    assert body == {
        "model": "good-model", "messages": [{"role": "user", "content": "hello"}], "stream": True,
        "stream_options": {"include_usage": True}, "max_tokens": 9, "temperature": 0.0,
    }  # fmt: skip


def test_sampling_is_told_with_its_seed():
    with fs.serving(fs.answer("a", "b", "c")) as server:
        model = model_of(server.url)
        completions = model.generate(
            "x", n=3, temperature=0.7, top_p=0.9, seed=5, stop=["\n", ";", "a", "b", "c"],
        )  # fmt: skip
        (body,) = server.bodies
    assert (body["n"], body["seed"], body["top_p"], body["temperature"]) == (3, 5, 0.9, 0.7)
    assert body["stop"] == ["\n", ";", "a", "b"]
    assert texts(completions) == ["", "", ""]  # the fifth stop string is cut off here
    assert completions[0].usage.seed == 5 and completions[0].usage is completions[2].usage


def test_more_samples_than_the_server_gives_are_asked_for_one_by_one():
    def single(handler, body):
        fs.answer(f"seed {body['seed']}")(handler, {**body, "n": 1})

    with fs.serving(single) as server:
        completions = model_of(server.url).generate("x", n=3, temperature=1.0, seed=7)
    assert texts(completions) == ["seed 7", "seed 8", "seed 9"]
    assert completions[0].usage.calls == 3 and completions[0].usage.prompt_tokens == 21


def test_a_stop_string_that_the_server_left_in_is_cut():
    with fs.serving(fs.answer("one two three")) as server:
        assert texts(model_of(server.url).generate("x", stop=["three", " two"])) == ["one"]


def test_it_offers_what_it_can():
    with fs.serving(fs.answer("yes")) as server:
        assert capabilities(model_of(server.url)) == ("Generates", "Images")


# --- fields that a server refuses -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("stream_options", {}),
        ("temperature", {"temperature": 0.3}),
        ("top_p", {"top_p": 0.5}),
        ("seed", {"temperature": 0.3, "seed": 3}),
        ("stop", {"stop": ["!"]}),
    ],
)
def test_what_a_server_refuses_is_left_out_from_then_on(field, arguments):
    message = f"Unsupported parameter: '{field}' is not supported with this model."
    with fs.serving(fs.refuse_field(field, fs.answer("yes!"), message)) as server:
        model = model_of(server.url)
        for _ in range(2):
            (completion,) = model.generate("x", **arguments)
        assert [field in body for body in server.bodies] == [True, False, False]
    assert completion.text == ("yes" if field == "stop" else "yes!")
    # Without a bill the prompt is taken to have four bytes a token, the answer a token a chunk.
    assert completion.usage.prompt_tokens == (1 if field == "stream_options" else 7)


def test_max_tokens_has_two_names():
    message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    with fs.serving(fs.refuse_field("max_tokens", fs.answer("yes"), message)) as server:
        model_of(server.url).generate("x", max_tokens=11)
        assert server.bodies[-1]["max_completion_tokens"] == 11


def test_samples_are_asked_one_by_one_where_n_is_refused():
    with fs.serving(fs.refuse_field("n", fs.echo)) as server:
        completions = model_of(server.url).generate("hi", n=2, temperature=1.0)
        assert ["n" in body for body in server.bodies] == [True, False, False]
    assert texts(completions) == ["hi", "hi"] and completions[0].usage.calls == 2


# --- grammar and schema ---------------------------------------------------------------------------


def test_a_grammar_goes_in_the_forms_of_llama_cpp_and_vllm():
    with fs.serving(fs.answer("put(cube)")) as server:
        for way in ("auto", "llama.cpp", "vllm", "none"):
            model_of(server.url, f"grammar={way}").generate("x", grammar=GRAMMAR)
        auto, llama, vllm, none = server.bodies
    assert auto["grammar"] == GRAMMAR and auto["structured_outputs"] == {"grammar": GRAMMAR}
    assert "grammar" in llama and "structured_outputs" not in llama
    assert "structured_outputs" in vllm and "grammar" not in vllm
    assert not {"grammar", "structured_outputs"} & set(none)
    # Who is sent no grammar is told it in words.
    assert GRAMMAR in none["messages"][0]["content"] and auto["messages"][0]["content"] == "x"


def test_an_answer_off_the_grammar_is_repaired_and_each_call_is_billed():
    with fs.serving(fs.answer("Sure! put(cube)"), fs.answer("put(cube)")) as server:
        model = model_of(server.url, "input_usd=1000000&output_usd=0")
        (completion,) = model.generate("x", grammar=GRAMMAR)
        repair = server.bodies[1]["messages"][0]["content"]
        assert "Sure! put(cube)" in repair and "no sentence of the grammar" in repair
        assert repair.startswith("x\n") and GRAMMAR in repair
        # Having learned that the server overlooks grammars, the next question holds it in words.
        model.generate("y", grammar=GRAMMAR)
        assert GRAMMAR in server.bodies[2]["messages"][0]["content"]
    usage = completion.usage
    assert completion.text == "put(cube)"
    assert (usage.calls, usage.prompt_tokens, usage.cost) == (2, 14, 14.0)


def test_after_two_repairs_it_is_retryable_and_says_what_it_cost():
    with fs.serving(fs.answer("I would rather not")) as server:
        with pytest.raises(Retryable, match=r"keeps its grammar.*3 answers.*rather not") as caught:
            model_of(server.url).generate("x", grammar=GRAMMAR)
        # The second repair has nothing new to say: another answer comes from sampling alone.
        assert [body["temperature"] for body in server.bodies] == [0.0, 0.0, 0.7]
    assert caught.value.code == ErrorCode.MODEL_OUTPUT_MALFORMED
    assert caught.value.usage.calls == 3 and caught.value.usage.completion_tokens == 9


def test_a_schema_goes_as_response_format_and_the_answer_is_checked():
    good, bad = '{"skill": "put", "times": 2}', '{"skill": "put", "times": 0}'
    with fs.serving(fs.answer(bad), fs.answer(f"```json\n{good}\n```")) as server:
        (completion,) = model_of(server.url).generate("x", schema=SCHEMA)
        told = server.bodies[0]["response_format"]
        repair = server.bodies[1]["messages"][0]["content"]
    assert json.loads(completion.text) == {"skill": "put", "times": 2}
    assert told["type"] == "json_schema" and told["json_schema"]["schema"] == SCHEMA
    assert "$.times: 0 is less than the minimum of 1" in repair


def test_where_schemas_are_refused_the_prompt_holds_them():
    behaviour = fs.refuse_field("response_format", fs.answer('{"skill": "put", "times": 1}'))
    with fs.serving(behaviour) as server:
        model = model_of(server.url)
        model.generate("x", schema=SCHEMA)
        model.generate("y", schema=SCHEMA)
        assert ["response_format" in body for body in server.bodies] == [True, False, False]
        assert '"additionalProperties": false' in server.bodies[2]["messages"][0]["content"]


@pytest.mark.parametrize("thoughts", ["<think>\nput(x)?\n</think>\n\n", "  <think></think>"])
def test_thoughts_are_no_part_of_a_held_answer(thoughts):
    with fs.serving(fs.answer(f"{thoughts}put(cube)")) as server:
        assert texts(model_of(server.url).generate("x", grammar=GRAMMAR)) == ["put(cube)"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"grammar": GRAMMAR, "schema": SCHEMA},
        {"grammar": "root := what"},
        {"schema": {"type": "no such"}},
    ],
)
def test_a_rule_that_cannot_be_is_refused(arguments):
    with fs.serving(fs.answer("{}")) as server, pytest.raises(ConfigError, match="expected a"):
        model_of(server.url).generate("x", **arguments)


# --- pictures and log-probabilities ---------------------------------------------------------------


def tokens_with_pictures(handler, body):
    sees = isinstance(body["messages"][0]["content"], list)
    fs.answer("red", usage=(70 if sees else 5, 1))(handler, body)


def test_a_picture_goes_as_png_and_comes_out_as_it_was():
    with fs.serving(tokens_with_pictures) as server:
        model = model_of(server.url)
        (completion,) = model.generate("which colour?", images=[PICTURE])
        model.generate("and now?", images=[PICTURE, PICTURE])
        picture, words = server.bodies[0]["messages"][0]["content"]
        assert len(server.bodies) == 3  # one of them found out, once, that it looks
    kind, _, encoded = picture["image_url"]["url"].partition(",")
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(encoded), np.uint8), cv2.IMREAD_COLOR)
    assert kind == "data:image/png;base64" and (pixels[..., ::-1] == PICTURE).all()
    assert words == {"type": "text", "text": "which colour?"} and completion.usage.calls == 2


def test_a_server_that_drops_pictures_without_a_word_is_found_out():
    with fs.serving(fs.answer("a red one, surely")) as server:
        model = model_of(server.url)
        for _ in range(2):
            with pytest.raises(ConfigError, match="dropped them without a word") as caught:
                model.generate("which colour?", images=[PICTURE])
        assert not model.sees_images and model_of(server.url).sees_images
    assert caught.value.code == ErrorCode.CAPABILITY_MISSING


@pytest.mark.parametrize("number", [400, 422, 500])
def test_a_server_that_refuses_pictures_lacks_the_capability(number):
    refusal = fs.status(number, "image input is not supported - provide the mmproj")
    with fs.serving(refusal) as server, pytest.raises(ConfigError, match="mmproj") as caught:
        model_of(server.url).generate("which colour?", images=[PICTURE])
    assert caught.value.code == ErrorCode.CAPABILITY_MISSING


def test_another_array_is_no_picture():
    with fs.serving(fs.answer("x")) as server, pytest.raises(ConfigError, match="float32"):
        model_of(server.url).generate("x", images=[np.zeros((2, 2, 3), np.float32)])


def test_log_probabilities_are_passed_on():
    with fs.serving(fs.answer("yes", logprobs=[-0.25, -1.5])) as server:
        model = model_of(server.url)
        (told,) = model.generate("x", logprobs=True)
        (plain,) = model.generate("x")
    assert told.token_logprobs == (-0.25, -1.5) and plain.token_logprobs == ()
    assert told.token_ids == ()  # no server tells them


@pytest.mark.parametrize(
    "lacking", [fs.answer("yes"), fs.refuse_field("logprobs", fs.answer("yes"))]
)
def test_without_log_probabilities_the_capability_is_missing(lacking):
    with (
        fs.serving(lacking) as server,
        pytest.raises(ConfigError, match="log-probabilities") as caught,
    ):
        model_of(server.url).generate("x", logprobs=True)
    assert caught.value.code == ErrorCode.CAPABILITY_MISSING


# --- the name -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "model", "url"),
    [
        ("m@http://localhost:8000/v1", "m", "http://localhost:8000/v1"),
        ("org/m:4b@http://localhost/v1/", "org/m:4b", "http://localhost/v1"),
        ("org/m@main@https://h.example/a", "org/m@main", "https://h.example/a"),
        ("m", "m", "https://api.openai.com/v1"),
        ("m?total_s=7", "m", "https://api.openai.com/v1"),
    ],
)
def test_a_name_is_model_url_and_settings(name, model, url, monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    parsed = parse_name(name)
    assert (parsed.model, parsed.base_url) == (model, url)
    assert parsed.named is ("http" in name)


def test_settings_are_read_and_checked():
    server = parse_name("m@http://localhost/v1?total_s=7&attempts=1&input_usd=0.5&grammar=vllm")
    assert server.settings == ServerSettings(total_s=7.0, attempts=1, input_usd=0.5, grammar="vllm")
    assert server.settings.prices.cost(2_000_000, 5) == 1.0
    for wrong in ("totals=7", "total_s=0", "total_s=soon", "attempts=0", "grammar=what"):
        with pytest.raises(ConfigError, match=wrong.partition("=")[0]):
            parse_name(f"m@http://localhost/v1?{wrong}")


@pytest.mark.parametrize("name", ["", "?total_s=3"])
def test_a_model_has_to_be_named(name):
    with pytest.raises(ConfigError, match="expected openai:<model>@<base url>"):
        parse_name(name)


@pytest.mark.parametrize(
    "url", ["http://", "http://u:canary@h/v1", "http://h\\@x/v1", "http://[::"]
)
def test_what_is_no_url_or_holds_a_password_is_refused_unsaid(url):
    with pytest.raises(ConfigError, match="base URL") as caught:
        parse_name(f"m@{url}")
    assert "canary" not in str(caught.value)


def test_the_default_url_is_the_sdks(monkeypatch):
    with fs.serving(fs.answer("yes")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        model = load_language_model("openai:good-model")
        assert texts(model.generate("x")) == ["yes"]
        assert model.model_id == f"openai:good-model@{server.url}"


# --- many at once ---------------------------------------------------------------------------------


def test_many_threads_get_each_its_own_answer():
    answers = {}

    def ask(word):
        answers[word] = texts(model.generate(word))

    with fs.serving(fs.echo) as server:
        model = model_of(server.url)
        threads = [threading.Thread(target=ask, args=(f"word-{i}",)) for i in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert answers == {f"word-{i}": [f"word-{i}"] for i in range(16)}

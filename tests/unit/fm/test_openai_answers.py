"""How the answer of a real server is read: dressed, thought over, or no JSON at all."""

import fault_server as fs
import pytest

from fmrl_robot.errors import ConfigError, ErrorCode, Retryable, Terminal
from fmrl_robot.fm import Budget, guarded, load_language_model
from fmrl_robot.fm.budget import TEMPLATE_TOKENS
from fmrl_robot.fm.constraints import Rule
from fmrl_robot.fm.openai_settings import parse_name

YES_OR_NO = 'root ::= "yes" | "no"'
NUMBER = {
    "type": "object", "required": ["v"],
    "properties": {"v": {"type": "number", "minimum": 0, "maximum": 1}},
}  # fmt: skip


def model_of(url, settings="total_s=20"):
    return load_language_model(f"openai:good-model@{url}?{settings}")


def ask(server, settings="total_s=20", **arguments):
    (completion,) = model_of(server.url, settings).generate("x", **arguments)
    return completion.text


# --- grammar and schema ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", ["yes", "Yes.", "**Yes**", "Answer: yes", "`yes`", "```\nyes\n```", "hm\n</think>\nyes"]
)
def test_a_word_is_read_at_the_first_call(said):
    with fs.serving(fs.answer(said)) as server:
        assert ask(server, grammar=YES_OR_NO) == "yes" and len(server.bodies) == 1


@pytest.mark.parametrize(
    "said", ["yes and no", "not yes", "yes\nno", "```\nyes\n```\n```\nno\n```"]
)
def test_two_words_are_no_answer(said):
    assert Rule(grammar=YES_OR_NO).read(said)[1] == "it is no sentence of the grammar"


@pytest.mark.parametrize(
    "said",
    ['{"v": 0.5}', '\n```json\n{"v": 0.5}\n```\n', '```{"v": 0.5}```',
     'Here it is:\n```JSON\n{"v": 0.5}\n```\nAnything else?', '<think>NaN?</think>{"v": 0.5}'],
)  # fmt: skip
def test_json_is_read_at_the_first_call_as_it_was_written(said):
    with fs.serving(fs.answer(said)) as server:
        assert ask(server, schema=NUMBER) == '{"v": 0.5}' and len(server.bodies) == 1


@pytest.mark.parametrize(
    "said",
    ['{"v": NaN}', '{"v": Infinity}', '{"v": -Infinity}', '{"v": 1e999}', "[" * 9000,
     f'{{"v": {"1" * 5000}}}', '```json\n{"v": NaN}\n```', '{"V": 0.5}'],
    ids=lambda said: said[:16],
)  # fmt: skip
@pytest.mark.parametrize("schema", [NUMBER, {"required": ["v"], "type": "object"}])
def test_what_is_no_json_fits_no_schema(said, schema):
    assert Rule(schema=schema).read(said)[1]


def test_no_json_is_asked_again_with_the_reason():
    with fs.serving(fs.answer('{"v": NaN}'), fs.answer('{"v": 1}')) as server:
        assert ask(server, schema=NUMBER) == '{"v": 1}'
        assert "got NaN" in server.bodies[1]["messages"][0]["content"]


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), 10**400, "x", None])
def test_what_is_no_number_is_no_log_probability(value):
    with fs.serving(fs.answer("yes", logprobs=[-0.5, value])) as server:
        with pytest.raises(ConfigError, match="are no numbers") as caught:
            ask(server, logprobs=True)
        assert caught.value.code == ErrorCode.CAPABILITY_MISSING
        assert ask(server) == "yes"


# --- thoughts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_thoughts_of_a_field_of_their_own_are_no_answer(field):
    with fs.serving(fs.think("is it? no, it is", "yes", field=field)) as server:
        assert ask(server) == ask(server, grammar=YES_OR_NO) == "yes"


@pytest.mark.parametrize("said", ["<think>no</think>yes", "no</think>yes", "[THINK]no[/THINK]yes"])
def test_thoughts_in_a_free_answer_are_dropped_too(said):
    with fs.serving(fs.answer(said)) as server:
        assert ask(server) == "yes"


@pytest.mark.parametrize(
    ("mute", "said"),
    [
        (fs.think("let me see"), r"got none after 11 characters of thoughts \(stop\)"),
        (fs.think("let me see", finish="length"), "within 256 tokens after 11 characters of thou"),
        (fs.think("let me see", "ye", "length"), "within 256 tokens after 11 characters of thou"),
        (fs.answer("<think>let me see"), "got none after 17 characters of thoughts"),
        (fs.answer("<think>let me see", finish="length"), "after 17 characters of thoughts"),
        (fs.answer("", finish="length"), "did not end within 256 tokens: ''"),
    ],
)
@pytest.mark.parametrize("arguments", [{}, {"grammar": YES_OR_NO}, {"stop": ["\n"]}])
def test_thoughts_without_an_answer_name_the_settings(mute, said, arguments):
    """None of the calls is made again here: the same room would be as full."""
    with fs.serving(mute) as server:
        with pytest.raises(Retryable, match=said) as caught:
            ask(server, **arguments)
        assert len(server.bodies) == 1
    assert caught.value.code == ErrorCode.MODEL_OUTPUT_MALFORMED
    for setting in ("?max_tokens=N", "?thinking=off", "?reasoning_effort=low"):
        assert setting in str(caught.value)


def test_a_stream_that_is_nested_too_deeply_is_malformed():
    with fs.serving(fs.data("[" * 200_000)) as server, pytest.raises((Retryable, Terminal)):
        ask(server, "attempts=1")


# --- settings of thinking -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ("thinking=auto", {}),
        ("thinking=on", {"chat_template_kwargs": {"enable_thinking": True, "thinking": True}}),
        ("thinking=off", {"chat_template_kwargs": {"enable_thinking": False, "thinking": False},
                          "reasoning_effort": "none"}),
        ("reasoning_effort=high", {"reasoning_effort": "high"}),
        ("max_tokens=3000", {"max_tokens": 3000}),
    ],
)  # fmt: skip
def test_settings_reach_the_server(settings, sent):
    with fs.serving(fs.answer("yes")) as server:
        ask(server, settings, grammar=YES_OR_NO)
        (body,) = server.bodies
    asked = ("chat_template_kwargs", "reasoning_effort", "max_tokens")
    assert {n: v for n, v in body.items() if n in asked} == {"max_tokens": 256, **sent}
    assert body["grammar"] == YES_OR_NO  # which travels beside them


@pytest.mark.parametrize(
    "wrong", ["thinking=maybe", "thinking=false", "reasoning_effort=hihg", "max_tokens=0"]
)
def test_other_settings_are_refused_by_name(wrong):
    with pytest.raises(ConfigError, match=wrong.partition("=")[0]):
        parse_name(f"m@http://localhost/v1?{wrong}")


def test_thinking_off_goes_in_the_form_that_the_server_takes():
    message = "Unrecognized request argument supplied: chat_template_kwargs"
    behaviour = fs.refuse_field("chat_template_kwargs", fs.answer("yes"), message)
    with fs.serving(behaviour) as server:
        assert ask(server, "thinking=off") == "yes"
        assert "chat_template_kwargs" not in server.bodies[1]
        assert server.bodies[1]["reasoning_effort"] == "none"


@pytest.mark.parametrize(
    ("settings", "message", "named"),
    [
        ("reasoning_effort=xhigh", "invalid reasoning value: 'xhigh'", "reasoning_effort=xhigh"),
        ("reasoning_effort=high", '"small" does not support thinking', "reasoning_effort=high"),
        ("thinking=on", "Unrecognized request argument: chat_template_kwargs", "thinking=on"),
        ("thinking=off", "unknown field {}", "thinking=off"),
    ],
)
def test_a_setting_that_a_server_refuses_is_not_left_out_in_silence(settings, message, named):
    def neither(handler, body):
        field = "chat_template_kwargs" if "chat_template_kwargs" in body else "reasoning_effort"
        fs.refuse_field(field, fs.answer("yes"), message.format(field))(handler, body)

    with fs.serving(neither) as server:
        model = model_of(server.url, settings)
        for _ in range(2):  # nor the next time
            with pytest.raises(ConfigError, match=named) as caught:
                model.generate("x")
    assert caught.value.code == ErrorCode.CONFIG_INVALID


def test_a_model_that_thinks_otherwise_is_another_to_the_cache(tmp_path):
    with fs.serving(fs.answer("yes")) as server:
        for settings in ("thinking=off", "reasoning_effort=low", "thinking=off", "total_s=9"):
            guarded(model_of(server.url, settings), tmp_path).generate("x")
        assert len(server.bodies) == 3
        named = model_of(server.url, "reasoning_effort=low&thinking=on&total_s=9").model_id
    assert named == f"openai:good-model@{server.url}?reasoning_effort=low&thinking=on"


def test_the_room_for_thoughts_is_reserved_in_the_budget():
    with fs.serving(fs.answer("yes")) as server:
        model = guarded(
            model_of(server.url, "max_tokens=3000"), budget=Budget(tokens=3000 + TEMPLATE_TOKENS)
        )
        with pytest.raises(Terminal, match=f"next question may take {3001 + TEMPLATE_TOKENS}"):
            model.generate("x", max_tokens=1)
        assert not server.bodies

"""A sick server, one ill at a time: each ends in a typed failure or recovers, in bounded time."""

import subprocess
import sys
import threading
import time
from email.utils import formatdate
from pathlib import Path

import fault_server as fs
import pytest

from fmrl_robot.errors import ConfigError, ErrorCode, Retryable, Terminal
from fmrl_robot.fm import load_language_model, openai_server

CALM = "first_token_s=10&total_s=20"
"""For whoever answers at all, however busy the machine."""
QUICK = "connect_s=1&first_token_s=0.2&between_tokens_s=0.2&total_s=1"
"""For whoever hangs."""
STALL = "connect_s=1&first_token_s=2&between_tokens_s=0.2&total_s=3"
"""For whoever hangs after a word, which may come late on a busy machine."""


def model_of(url, settings=CALM, name="good-model"):
    return load_language_model(f"openai:{name}@{url}?{settings}")


def ask(model, **arguments):
    (completion,) = model.generate("put the red cube in the bowl", **arguments)
    return completion


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(openai_server, "BACKOFF_S", 0.06)


@pytest.fixture
def timed():
    began = time.monotonic()
    return lambda: time.monotonic() - began


# --- what recovers --------------------------------------------------------------------------------


def test_a_good_answer_with_its_bill():
    with fs.serving(fs.answer("put(red_cube, bowl)")) as server:
        completion = ask(model_of(server.url), role="plan")
        usage = completion.usage
        assert completion.text == "put(red_cube, bowl)" and usage.role == "plan"
        assert (usage.prompt_tokens, usage.completion_tokens, usage.calls) == (7, 3, 1)
        assert usage.model == f"openai:good-model@{server.url}" and usage.cost == 0.0
        assert 0 < usage.latency_s < 2 and not usage.cached


def test_two_errors_then_an_answer():
    with fs.serving(fs.status(500), fs.status(503), fs.answer("yes")) as server:
        assert ask(model_of(server.url)).text == "yes"
        first, second, third = server.arrivals_s
        # Each pause is twice the last, shortened by at most half.
        assert second - first >= 0.03 and third - second >= 0.06


def test_retry_after_is_waited_for():
    with fs.serving(fs.status(429, headers={"Retry-After": "0.6"}), fs.answer("yes")) as server:
        assert ask(model_of(server.url)).text == "yes"
        assert server.arrivals_s[1] - server.arrivals_s[0] >= 0.6


def test_retry_after_as_a_date_is_waited_for():
    soon = formatdate(time.time() + 2, usegmt=True)  # whole seconds: 1 to 2 from now
    with fs.serving(fs.status(503, headers={"Retry-After": soon}), fs.answer("yes")) as server:
        assert ask(model_of(server.url)).text == "yes"
        assert server.arrivals_s[1] - server.arrivals_s[0] >= 0.5


def test_nobody_waits_longer_than_the_question_may_take(timed):
    with fs.serving(fs.status(429, "slow down", {"Retry-After": "60"})) as server:
        with pytest.raises(Terminal, match="asks to wait 60 s") as caught:
            ask(model_of(server.url))
        assert caught.value.code == ErrorCode.MODEL_UNAVAILABLE
        assert timed() < 5 and len(server.bodies) == 1


@pytest.mark.parametrize("sick", [fs.drop, fs.hang(), fs.role_then_hang])
def test_a_second_attempt_after_silence(sick):
    with fs.serving(sick, fs.answer("yes")) as server:
        assert ask(model_of(server.url, "first_token_s=1.5&total_s=10")).text == "yes"
        assert len(server.bodies) == 2


# --- what ends as unavailable ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sick", "settings", "said"),
    [
        (fs.status(500, "out of memory"), CALM, "500: out of memory"),
        (fs.status(429, "too many"), CALM, "429: too many"),
        (fs.plain_status(502, "<h1>Bad gateway</h1>"), CALM, "502"),
        (fs.drop, CALM, "disconnected|no connection"),
        (fs.error_in_stream("CUDA error"), CALM, "CUDA error"),
        (fs.hang(), QUICK, r"no first token within 0\.2 s"),
        (fs.role_then_hang, QUICK, r"no first token within 0\.2 s"),
        (fs.token_then_hang, STALL, r"no next token within 0\.2 s"),
        (fs.drip, QUICK, "no end of the answer within"),
    ],
    ids=["500", "429", "502", "drop", "in-stream", "hang", "role", "stall", "drip"],
)
def test_a_sick_server_is_unavailable_in_bounded_time(sick, settings, said, timed):
    with fs.serving(sick) as server:
        model = model_of(server.url, settings)
        with pytest.raises(Terminal, match=said) as caught:
            ask(model)
        assert caught.value.code == ErrorCode.MODEL_UNAVAILABLE
        # Attempts and pauses together stay within total_s, also on a busy machine.
        assert timed() < 4 and 1 <= len(server.bodies) <= 3


def test_nobody_listens(timed):
    with fs.serving(fs.answer("yes")) as server:
        url = server.url
    with pytest.raises(Terminal, match="no connection") as caught:
        ask(model_of(url))
    assert caught.value.code == ErrorCode.MODEL_UNAVAILABLE and timed() < 4


def test_a_server_that_is_killed_in_the_middle_of_an_answer():
    command = [sys.executable, str(Path(fs.__file__)), "token_then_hang"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        port = int(process.stdout.readline())
        model = model_of(f"http://127.0.0.1:{port}/v1", "between_tokens_s=20")
        threading.Timer(0.7, process.kill).start()
        with pytest.raises(Retryable, match=r"broke off .*'half'") as caught:
            ask(model)
        assert caught.value.code == ErrorCode.MODEL_OUTPUT_MALFORMED
        with pytest.raises(Terminal, match="no connection"):
            ask(model)


# --- what is worth another question ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("sick", "said"),
    [
        (fs.half, "broke off"),
        (fs.cut, "broke off"),
        (fs.wrong_json, "no JSON"),
        (fs.data(*fs.SHAPES), r"broke off|empty"),
        (fs.empty_body, "empty reply"),
        (fs.plain_status(200, "<h1>Welcome to the router</h1>"), "empty reply"),
        (fs.answer(""), "empty one"),
        (fs.answer("put(red", finish="length"), "did not end within 256 tokens"),
    ],
    ids=["half", "cut", "wrong-json", "wrong-shape", "empty", "html", "no-words", "length"],
)
def test_a_malformed_answer_is_retryable_and_not_asked_again_here(sick, said):
    with fs.serving(sick) as server:
        with pytest.raises(Retryable, match=said) as caught:
            ask(model_of(server.url))
        assert caught.value.code == ErrorCode.MODEL_OUTPUT_MALFORMED
        assert len(server.bodies) == 1


@pytest.mark.parametrize("line", [*fs.SHAPES, b"\xff\xfe", '{"error": "CUDA error"}', "[DONE]"])
def test_whatever_a_stream_holds_the_failure_is_typed(line):
    with fs.serving(fs.data(line)) as server, pytest.raises((Retryable, Terminal)):
        ask(model_of(server.url, "attempts=1"))


def test_what_a_thrown_away_answer_cost_is_said():
    cut = fs.answer("put(red", finish="length", usage=(70, 256))
    with fs.serving(cut) as server, pytest.raises(Retryable) as caught:
        ask(model_of(server.url, CALM + "&input_usd=1&output_usd=10"))
    usage = caught.value.usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (70, 256)
    assert usage.cost == pytest.approx(70e-6 + 2560e-6)


def test_a_late_bill_and_a_stream_that_never_closes_cost_no_answer(timed):
    def unclosed(handler, body):
        handler.begin_stream()
        handler.send_chunk("yes")
        handler.send_chunk(None, finish="stop")
        handler.wait(30)

    with fs.serving(unclosed) as server:
        assert ask(model_of(server.url)).text == "yes"
    assert timed() < 4


# --- what a person has to mend --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sick", "kind", "code", "said"),
    [
        (fs.status(401, "bad key"), ConfigError, ErrorCode.CONFIG_INVALID, "key_env"),
        (fs.status(403, "not you"), ConfigError, ErrorCode.CONFIG_INVALID, "not you"),
        (fs.status(400, "what is that"), ConfigError, ErrorCode.CONFIG_INVALID, "what is that"),
        (fs.status(404), ConfigError, ErrorCode.MODEL_UNAVAILABLE, "/v1.*good-model, other-model"),
        (fs.status(402, "no credit"), Terminal, ErrorCode.MODEL_UNAVAILABLE, "no credit"),
        (fs.status(429, "paid out", code="insufficient_quota"), Terminal,
         ErrorCode.MODEL_UNAVAILABLE, "paid out"),
        (fs.redirect("http://127.0.0.1:9/v1"), ConfigError, ErrorCode.CONFIG_INVALID, "elsewhere"),
        (fs.answer("", finish="content_filter"), Terminal, ErrorCode.INSTRUCTION_REFUSED, "filter"),
        (fs.answer("", refusal="I will not"), Terminal, ErrorCode.INSTRUCTION_REFUSED,
         "I will not"),
    ],
)  # fmt: skip
def test_a_final_answer_is_final_at_once(sick, kind, code, said):
    with fs.serving(sick) as server:
        with pytest.raises(kind, match=said) as caught:
            ask(model_of(server.url))
        assert caught.value.code == code and len(server.bodies) == 1


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (404, "The model `typo` does not exist."),
        (404, "model 'typo' not found, try pulling it first"),
        (400, "Server is pinned to 'good-model'; requested 'typo'."),
    ],
    ids=["vllm", "ollama", "transformers"],
)
def test_a_wrong_model_is_answered_with_those_there_are(number, message):
    with (
        fs.serving(fs.status(number, message)) as server,
        pytest.raises(ConfigError, match=r"typo.*it has good-model, other-model") as caught,
    ):
        ask(model_of(server.url, name="typo"))
    assert caught.value.code == ErrorCode.MODEL_UNAVAILABLE


@pytest.mark.parametrize(
    "sick",
    [
        fs.status(400, "This model's maximum context length is 4096 tokens. However, you asked"),
        fs.status(400, "the request exceeds the available context size (4096 tokens)",
                  type="exceed_context_size_error"),
        fs.status(400, "too much", code="context_length_exceeded", type="context_length_exceeded"),
        fs.status(413, "Payload Too Large"),
        fs.error_in_stream("the request exceeds the available context size. try increasing it"),
    ],
)  # fmt: skip
def test_a_question_beyond_the_context_has_its_own_code(sick):
    with fs.serving(sick) as server, pytest.raises(Terminal) as caught:
        ask(model_of(server.url))
    assert caught.value.code == ErrorCode.INSTRUCTION_TOO_LONG


# --- the breaker ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sick", "settings"),
    [(fs.half, CALM), (fs.status(500), CALM), (fs.drop, CALM), (fs.empty_body, CALM),
     (fs.hang(), QUICK)],
    ids=["half", "500", "drop", "empty", "hang"],
)  # fmt: skip
def test_the_breaker_opens_after_three_failures_and_fails_at_once(sick, settings, timed):
    with fs.serving(sick) as server:
        model = model_of(server.url, settings + "&attempts=1&pause_s=60")
        for _ in range(3):
            with pytest.raises((Retryable, Terminal)):
                ask(model)
        before = timed()
        with pytest.raises(Terminal, match=r"3 times in a row.*again in (60|59|58) s") as caught:
            ask(model)
        assert caught.value.code == ErrorCode.MODEL_UNAVAILABLE
        assert timed() - before < 0.1 and len(server.bodies) == 3


def test_the_breaker_lets_one_try_and_closes_when_it_succeeds():
    with fs.serving(*[fs.status(500)] * 4, fs.answer("yes")) as server:
        model = model_of(server.url, CALM + "&attempts=1&pause_s=0.5")
        for _ in range(3):
            with pytest.raises(Terminal, match="500"):
                ask(model)
        time.sleep(0.55)
        with pytest.raises(Terminal, match="500"):
            ask(model)  # the trial, which fails
        with pytest.raises(Terminal, match=r"in a row.*500: told to"):
            ask(model)
        assert len(server.bodies) == 4
        time.sleep(0.55)
        assert ask(model).text == "yes" and ask(model).text == "yes"


def test_while_one_tries_the_others_wait():
    with fs.serving(*[fs.status(500)] * 3, fs.answer("a b c d", delay_s=0.15)) as server:
        model = model_of(server.url, CALM + "&attempts=1&pause_s=0.2")
        for _ in range(3):
            with pytest.raises(Terminal):
                ask(model)
        time.sleep(0.25)
        trial = threading.Thread(target=ask, args=(model,))
        trial.start()
        time.sleep(0.1)
        with pytest.raises(Terminal, match="once the trial under way succeeds"):
            ask(model)
        trial.join(5)
        assert ask(model).text == "a b c d"


def test_an_error_of_the_asker_is_no_failure_of_the_server():
    with fs.serving(fs.status(400, "no such thing")) as server:
        model = model_of(server.url)
        for _ in range(5):
            with pytest.raises(ConfigError):
                ask(model)
        assert len(server.bodies) == 5


def test_three_attempts_of_one_question_are_three_failures():
    with fs.serving(fs.drop) as server:
        model = model_of(server.url)
        with pytest.raises(Terminal, match="attempt 3 of 3"):
            ask(model)
        with pytest.raises(Terminal, match="in a row"):
            ask(model)
        assert len(server.bodies) == 3


# --- the end --------------------------------------------------------------------------------------


@pytest.mark.parametrize("sick", [fs.hang(), fs.status(503, headers={"Retry-After": "15"})])
def test_who_is_closed_waits_for_nobody(sick, timed):
    raised = []

    def wait():
        try:
            ask(model)
        except Terminal as error:
            raised.append(error)

    with fs.serving(sick) as server:
        model = model_of(server.url)
        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.3)
        before = timed()
        model.close()
        waiting.join(5)
        assert timed() - before < 1 and "was closed" in str(raised[0])
        with pytest.raises(Terminal, match="was closed"):
            ask(model)

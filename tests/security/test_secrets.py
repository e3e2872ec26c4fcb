"""A key of a model's server stays in the environment: R24, with a canary in the key's place."""

import json
import logging
import pickle
import traceback

import fault_server as fs
import pytest

from fmrl_robot.errors import ConfigError, FmrlError
from fmrl_robot.fm import load_language_model
from fmrl_robot.fm.asking import guarded
from fmrl_robot.fm.disk_cache import FILE

CANARY = "sk-canary-0123456789abcdef"


@pytest.fixture(autouse=True)
def canary(monkeypatch, caplog):
    monkeypatch.setenv("CANARY_KEY", CANARY)
    monkeypatch.setenv("OPENAI_API_KEY", CANARY + "-of-the-sdk")
    caplog.set_level(logging.DEBUG)
    for name in ("openai", "httpx2", "httpcore2", "asyncio"):
        logging.getLogger(name).setLevel(logging.DEBUG)


def model_of(url, key_env="CANARY_KEY"):
    return load_language_model(f"openai:m@{url}?key_env={key_env}&total_s=1&attempts=1")


def everything_said(error, caplog):
    chain = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "\n".join(
        [str(error), repr(error), repr(vars(error)), "".join(chain.format()), caplog.text]
    )


def test_the_key_is_sent_and_shown_nowhere(tmp_path, caplog):
    cassette = tmp_path / "answers.jsonl"
    with fs.serving(fs.answer("yes")) as server:
        model = model_of(server.url)
        (completion,) = guarded(model, tmp_path).generate("x")
        name = f"m@{server.url}?key_env=CANARY_KEY"
        load_language_model(f"recording:{cassette},openai:{name}").generate("y")
        assert [h["authorization"] for h in server.headers] == [f"Bearer {CANARY}"] * 2
    assert CANARY not in repr(model) + repr(completion) + model.model_id + str(vars(model))
    assert CANARY not in str(vars(model._server)) and CANARY not in caplog.text
    left = [file for file in tmp_path.iterdir() if CANARY.encode() in file.read_bytes()]
    assert left == [] and (tmp_path / FILE).exists() and cassette.exists()


@pytest.mark.parametrize(
    "sick",
    [
        fs.status(401, f"Incorrect API key provided: {CANARY}"),
        fs.status(400, f"what is {CANARY}"),
        fs.status(500, f"cannot log in with {CANARY}"),
        fs.status(404, f"no model for {CANARY}"),
        fs.plain_status(502, f"upstream said {CANARY}"),
        fs.error_in_stream(f"quota of {CANARY}"),
        fs.drop,
        fs.half,
        fs.hang(),
        fs.redirect("http://127.0.0.1:9/v1"),
    ],
    ids=["401", "400", "500", "404", "502", "stream", "drop", "half", "hang", "redirect"],
)
def test_no_error_holds_the_key_even_where_the_server_repeats_it(sick, caplog):
    with fs.serving(sick, models=(f"model-of-{CANARY}",)) as server:
        with pytest.raises(FmrlError) as caught:
            model_of(server.url).generate("x")
        said = everything_said(caught.value, caplog)
    # Nothing that the SDK raised hangs on to the error, or its request could be read from it.
    assert caught.value.__context__ is None and caught.value.__cause__ is None
    assert CANARY not in said and CANARY.encode() not in pickle.dumps(caught.value)


def test_the_sdks_key_goes_to_the_sdks_url_alone(monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-canary")
    with fs.serving(fs.answer("yes")) as server:
        load_language_model(f"openai:m@{server.url}").generate("x")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        load_language_model("openai:m").generate("x")
        stranger, own = (json.dumps(headers) for headers in server.headers)
    assert "canary" not in stranger
    assert f"Bearer {CANARY}-of-the-sdk" in own and "org-canary" in own


@pytest.mark.parametrize("given", [CANARY, "NO_SUCH_KEY"])
def test_a_key_in_the_place_of_its_variables_name_is_not_repeated(given):
    with pytest.raises(ConfigError, match="environment") as caught:
        model_of("http://127.0.0.1:9/v1", given)
    assert CANARY not in str(caught.value)


def test_a_key_among_the_settings_is_not_repeated():
    with pytest.raises(ConfigError, match="got api_key") as caught:
        load_language_model(f"openai:m@http://127.0.0.1:9/v1?api_key={CANARY}")
    assert CANARY not in str(caught.value)

"""FMRL_FORBID_NETWORK keeps every question on this machine; with the switch off it would leave."""

import socket

import fault_server as fs
import pytest
from openai import APIConnectionError, OpenAI

from fmrl_robot.errors import ConfigError, ErrorCode, Terminal
from fmrl_robot.fm import load_language_model
from fmrl_robot.fm.network import check_url, is_loopback

HERE = ["http://localhost:1/v1", "http://127.0.0.1:8000/v1", "http://127.8.9.1/v1", "http://[::1]/"]
ELSEWHERE = [
    "https://api.openai.com/v1",
    "http://192.168.0.7:8000/v1",
    "http://localhost.example.org/v1",
    "http://127.0.0.1.example.org/v1",
    "http://127.0.0.1@example.org/v1",
    "http://example.org#@127.0.0.1/",
    "http://0.0.0.0/v1",
    "nonsense",
]


@pytest.fixture
def attempts(monkeypatch):
    """The names that anything looks up, none of which is found."""
    tried = []
    look_up = socket.getaddrinfo

    def refuse(host, *more, **named):
        name = host.decode() if isinstance(host, bytes) else host
        if name == "127.0.0.1":
            return look_up(host, *more, **named)
        tried.append(name)
        raise socket.gaierror("no network in tests")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return tried


@pytest.mark.parametrize("url", HERE)
def test_this_machine_may_be_asked(url):
    assert is_loopback(url)
    check_url(url)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_no_other_machine_may_be_asked(url):
    assert not is_loopback(url)
    with pytest.raises(ConfigError, match="FMRL_FORBID_NETWORK") as caught:
        check_url(url)
    assert caught.value.code == ErrorCode.MODEL_UNAVAILABLE


def test_a_hosted_model_is_refused_before_anything_is_looked_up(attempts, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    for name in ("openai:m", "openai:m@https://models.example.org/v1"):
        with pytest.raises(ConfigError, match="FMRL_FORBID_NETWORK"):
            load_language_model(name)
    assert attempts == []


def test_with_the_switch_off_it_would_have_gone_there(attempts, monkeypatch):
    monkeypatch.setenv("FMRL_FORBID_NETWORK", "0")
    model = load_language_model("openai:m@https://models.example.org/v1?attempts=1&total_s=2")
    with pytest.raises(Terminal, match="no network in tests"):
        model.generate("x")
    assert attempts == ["models.example.org"]
    # The switch is looked at again with each question, not only while loading.
    monkeypatch.setenv("FMRL_FORBID_NETWORK", "1")
    with pytest.raises(ConfigError, match="FMRL_FORBID_NETWORK"):
        model.generate("x")
    assert attempts == ["models.example.org"]


def test_neither_a_redirect_nor_a_proxy_leads_away(attempts, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://proxy.example.org:3128")
    with fs.serving(fs.answer("yes"), fs.redirect("http://elsewhere.example.org/v1")) as server:
        model = load_language_model(f"openai:m@{server.url}?total_s=2&attempts=1")
        assert model.generate("x")[0].text == "yes"
        with pytest.raises(ConfigError, match="elsewhere"):
            model.generate("x")
        assert attempts == []
        # The SDK as it comes would follow both.
        bare = OpenAI(base_url=server.url, api_key="none", max_retries=0)
        with pytest.raises(APIConnectionError):
            bare.models.list()
        assert attempts == ["proxy.example.org"]
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name)
        bare = OpenAI(base_url=server.url, api_key="none", max_retries=0)
        with pytest.raises(APIConnectionError):
            bare.chat.completions.create(model="m", messages=[])
        assert attempts == ["proxy.example.org", "elsewhere.example.org"]

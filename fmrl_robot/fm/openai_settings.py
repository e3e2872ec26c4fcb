"""``openai:<model>@<base url>?<settings>``: one line that names a server, its model and its ways.

The key never stands in it: a setting names the environment variable that holds it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlsplit

from annotated_types import Gt

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.fm.budget import Prices
from fmrl_robot.settings import Amount, Count, build

OPENAI_KEY, OPENAI_URL = "OPENAI_API_KEY", "OPENAI_BASE_URL"
"""The SDK's own variables; they count where the name holds no URL."""
HOSTED = "https://api.openai.com/v1"

Effort = Literal["", "none", "minimal", "low", "medium", "high", "xhigh", "max"]
"""Those of the SDK; each server, and each model, takes some of them."""
Span = Annotated[float, Gt(0)]
"""Seconds."""

_NAME = re.compile(r"(?P<model>[^?]+?)(?:@(?P<url>https?://[^?]*))?(?:\?(?P<settings>.*))?")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSettings:
    """How a server is asked."""

    key_env: str = ""
    """Environment variable that holds the key. OPENAI_API_KEY is only sent where no URL is named,
    so that no other company gets to see it."""
    connect_s: Span = 5.0
    """To a connection, s."""
    first_token_s: Span = 30.0
    """From the question to the first token, s."""
    between_tokens_s: Span = 10.0
    """From one token to the next, s."""
    total_s: Span = 60.0
    """For a question with all its attempts and the pauses between them, s."""
    attempts: Count = 3
    """Of one question, the first included."""
    failures: Count = 3
    """Failed attempts in a row after which the server is left alone."""
    pause_s: Span = 30.0
    """For which it is left alone, s."""
    input_usd: Amount | None = None
    """US dollars for a million tokens of prompt."""
    output_usd: Amount | None = None
    """US dollars for a million tokens of answer."""
    grammar: Literal["auto", "llama.cpp", "vllm", "none"] = "auto"
    """How a grammar is sent: ``auto`` in both forms, each server overlooks the other's."""
    schema: Literal["auto", "none"] = "auto"
    """Whether a JSON schema is sent as ``response_format``."""
    max_tokens: Count | None = None
    """Of an answer with its thoughts, in the place of what the asker allows; a plan alone gets 400.
    """
    reasoning_effort: Effort = ""
    """How much it is to think, sent under this name; empty: as much as it does unasked."""
    thinking: Literal["auto", "on", "off"] = "auto"
    """Whether it is to think, told to the chat template as ``enable_thinking`` and ``thinking``;
    ``off`` also sends the effort ``none``, each server overlooks the other's form."""
    prompts: Literal["full", "short"] = "full"
    """``short`` for a model that was trained on this project's own prompts and knows no others."""

    @property
    def prices(self) -> Prices | None:
        """What tokens cost, or None where nobody said."""
        if self.input_usd is None and self.output_usd is None:
            return None
        return Prices(input_usd=self.input_usd or 0.0, output_usd=self.output_usd or 0.0)

    @property
    def thinks(self) -> bool | None:
        """Whether the model is to think; None where nobody said."""
        return None if self.thinking == "auto" else self.thinking == "on"

    @property
    def effort(self) -> str:
        """How much it is to think; empty where nobody said."""
        return self.reasoning_effort or ("none" if self.thinking == "off" else "")

    @property
    def thought(self) -> str:
        """The settings by which the same model answers otherwise, as a name holds them."""
        told = {"reasoning_effort": self.reasoning_effort, "thinking": self.thinking}
        return "&".join(f"{k}={v}" for k, v in told.items() if v not in ("", "auto"))


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerName:
    """What a name says."""

    model: str
    base_url: str
    named: bool
    """Whether the name itself holds the URL."""
    settings: ServerSettings


def parse_name(text: str) -> ServerName:
    """Read ``<model>@<base url>?<settings>``; without ``@`` the SDK's own URL is meant.

    Raises:
        ConfigError: no model is named, the URL is none or holds a password, or a setting is
            unknown.
    """
    match = _NAME.fullmatch(text)
    if match is None:
        raise ConfigError(
            "expected openai:<model>@<base url>, got no model; for example "
            "openai:my-model@http://localhost:8000/v1",
            ErrorCode.MODEL_UNAVAILABLE,
        )
    model, url, told = match["model"], match["url"], match["settings"]
    values = dict(parse_qsl(told or "", keep_blank_values=True))
    settings = build(ServerSettings, values, f"the settings of openai:{model}")
    base_url = check_form(url or os.environ.get(OPENAI_URL) or HOSTED)
    return ServerName(model=model, base_url=base_url, named=url is not None, settings=settings)


def check_form(url: str) -> str:
    """Return a URL without its last slash if it can be a server's.

    Raises:
        ConfigError: it is none, or holds a user or a password; it is not repeated in the message.
    """
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound, parts = False, urlsplit("")
    if not sound or re.search(r"[\s\\]", url) or "@" in parts.netloc:
        raise ConfigError(
            "expected the base URL of a server such as http://localhost:8000/v1, without user and "
            "password, got another text; a key stands in an environment variable, named by key_env"
        )
    return url.rstrip("/")


def read_key(server: ServerName, *, local: bool) -> str:
    """Return the key for a server, empty where none is needed.

    Args:
        server: as it was named.
        local: whether it runs on this machine, where a key is rarely asked for.

    Raises:
        ConfigError: the variable is not set; the message names it, and never its value.
    """
    name = server.settings.key_env
    if name and not _VARIABLE.fullmatch(name):
        raise ConfigError(
            "expected the name of an environment variable in key_env, such as MY_SERVER_KEY, got "
            "another text (not repeated here, it may be the key itself)"
        )
    if not name and server.named:
        return ""
    key = os.environ.get(name or OPENAI_KEY, "")
    if not key and (name or not local):
        raise ConfigError(
            f"expected a key for {server.base_url} in {name or OPENAI_KEY}, found none; set it in "
            "the environment of this process"
        )
    return key

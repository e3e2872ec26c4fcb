"""What a server's failure means: who can mend it, and whether to ask again."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any

from fmrl_robot.errors import ConfigError, ErrorCode, FmrlError, Retryable, Terminal
from fmrl_robot.fm.openai_stream import Late

Scrub = Callable[[str], str]

_SHOWN = 300
"""Characters of a server's message that are passed on."""
_TOO_LONG = re.compile(
    r"context[ _](length|size|window)|maximum context|too many tokens|prompt is too long"
    r"|exceeds? the (model|available)|longer than the maximum",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"(unknown|invalid|no such) model|pinned to"
    r"|\bmodel\b.{0,200}(not found|not exist|unknown|not available)",
    re.IGNORECASE | re.DOTALL,
)
_PATIENCE = (408, 409, 425, 429)
"""Answers below 500 after which the same question may be asked again."""
_PAID_OUT = ("insufficient_quota", "billing_hard_limit_reached")


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """One attempt that gave no answer."""

    error: FmrlError
    """What is raised where nobody asks again."""
    again: bool = False
    """Whether the same question may succeed in a moment."""
    sick: bool = False
    """Whether the server is to blame, so that the breaker counts it."""
    retry_after_s: float | None = None
    """What the server asked to wait, s."""
    status: int = 0
    """Of HTTP; 0 where none came."""
    said: str = ""
    """The server's own words."""
    param: str = ""
    """The field that the server named."""
    no_model: bool = False
    """Whether it does not know the model."""


def judge(error: Exception, *, server: str, scrub: Scrub, key_env: str) -> Failure:
    """Turn what the SDK raised into a failure.

    Args:
        error: from read_reply.
        server: name of model and server, for the message.
        scrub: takes the key out of a text.
        key_env: variable that holds the key.
    """
    from openai import APIConnectionError, APIStatusError, APITimeoutError

    if isinstance(error, APIStatusError):
        return _by_status(error, _said(error, scrub), server, key_env)
    if isinstance(error, Late | APIConnectionError):
        if isinstance(error, Late):
            what = str(error)
        else:
            what = "no connection in time" if isinstance(error, APITimeoutError) else _cause(error)
        return _unavailable(server, scrub(what))
    said = _said(error, scrub)
    if _TOO_LONG.search(said):
        return Failure(error=_too_long(server, said), said=said)
    if isinstance(error, ValueError):  # no JSON, no text
        malformed = Retryable(
            f"expected an answer from {server}, got what is no JSON: {said}; ask again, or look "
            "whether the base URL is that of chat completions"
        )
        return Failure(error=malformed, sick=True, said=said)
    return _unavailable(server, said)


def _by_status(error: Any, said: str, server: str, key_env: str) -> Failure:
    status: int = error.status_code
    failure = _of_status(status, error, said, server, key_env)
    return replace(failure, status=status, said=said, param=str(error.param or ""))


def _of_status(status: int, error: Any, said: str, server: str, key_env: str) -> Failure:
    told = f"{server} answered {status}: {said}"
    if status == 413 or _TOO_LONG.search(said):
        return Failure(error=_too_long(server, said))
    if status in (401, 403):
        wanted = "name the variable of a key with ?key_env=NAME"
        if key_env:
            wanted = f"mend the key in ${key_env}"
        return Failure(error=ConfigError(f"expected to be let in, {told}; {wanted}"))
    if status == 402 or (status == 429 and error.code in _PAID_OUT):
        paid_out = f"expected credit, {told}; pay in, or name another server"
        return Failure(error=Terminal(paid_out, ErrorCode.MODEL_UNAVAILABLE))
    if status in _PATIENCE or status >= 500:
        failure = _unavailable(server, f"{status}: {said}")
        return replace(failure, retry_after_s=retry_after(error.response.headers))
    if status < 400:
        moved = f"expected a server, {told}; it points elsewhere: name that URL itself"
        return Failure(error=ConfigError(moved))
    unknown = status == 404 or _NO_MODEL.search(said) is not None
    code = ErrorCode.MODEL_UNAVAILABLE if unknown else ErrorCode.CONFIG_INVALID
    hint = "change what it names"
    if status == 404:
        hint = "does the base URL end as the server wants it, mostly in /v1?"
    refused = ConfigError(f"expected the question to be taken, {told}; {hint}", code)
    return Failure(error=refused, no_model=unknown)


def retry_after(headers: Any) -> float | None:
    """Seconds that a server asks to wait: a number or a date in its headers."""
    for name, unit_s in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            return max(float(value) * unit_s, 0.0)
        except ValueError:
            pass
        try:
            # A date of the wall clock, and only as good as both clocks agree.
            return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
        except (ValueError, TypeError):
            continue
    return None


def _unavailable(server: str, what: str) -> Failure:
    error = Terminal(f"expected an answer from {server}, got {what}", ErrorCode.MODEL_UNAVAILABLE)
    return Failure(error=error, again=True, sick=True, said=what)


def _too_long(server: str, said: str) -> Terminal:
    return Terminal(
        f"expected a question that fits into the context of {server}, it says: {said}; shorten the "
        "instruction or serve the model with a longer context",
        ErrorCode.INSTRUCTION_TOO_LONG,
    )


def _said(error: Exception, scrub: Scrub) -> str:
    """The server's words, short, on one line and without the key."""
    body = getattr(error, "body", None)
    inner: Any = body.get("error", body) if isinstance(body, dict) else body
    words: Any = None
    if isinstance(inner, dict):
        kind = inner.get("type") or ""
        words = inner.get("message") or inner.get("detail")
        words = f"{words} ({kind})" if isinstance(words, str) and kind else words
    text = " ".join(scrub(str(words or inner or error)).split())
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _cause(error: BaseException) -> str:
    """The innermost reason why a connection failed."""
    while error.__cause__ is not None or error.__context__ is not None:
        error = error.__cause__ or error.__context__ or error
    return f"no connection: {str(error) or type(error).__name__}"

"""One model on one server: asked with patience, left alone while it is down, learned from.

An attempt that failed is never an exception in here but a value, so that nothing that the SDK
raised, with the request and its key inside, hangs on to what callers see.
"""

from __future__ import annotations

import logging
import math
import random
import ssl
import threading
import time
from concurrent.futures import CancelledError, Future
from typing import Any

from pydantic import SecretStr

from fmrl_robot.errors import ConfigError, ErrorCode, FmrlError, Retryable, Terminal
from fmrl_robot.fm import background_loop
from fmrl_robot.fm.breaker import CircuitBreaker
from fmrl_robot.fm.capabilities import not_installed
from fmrl_robot.fm.network import check_url, is_loopback
from fmrl_robot.fm.openai_errors import Failure, judge
from fmrl_robot.fm.openai_request import THINKING, Chat, refused_field
from fmrl_robot.fm.openai_settings import OPENAI_KEY, ServerName, read_key
from fmrl_robot.fm.openai_stream import Late, Reply, read_reply
from fmrl_robot.types import Usage

BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 8.0
"""Between two attempts, doubled each time up to the longest, s."""
_LIST_S = 5.0
"""How long the list of models is waited for, s."""
MORE_ROOM = (
    "allow more tokens with ?max_tokens=N behind the model's name, or let it think less with "
    "?thinking=off or ?reasoning_effort=low (docs/models.md)"
)
"""What to do about an answer that its thoughts left no room for."""
_LISTED = 20
"""How many models are named at most."""

_log = logging.getLogger("fmrl.fm")


class Server:
    """Answers chats, or says with a typed error why not. Thread-safe."""

    def __init__(self, name: ServerName) -> None:
        """Connect to nothing yet.

        Raises:
            ConfigError: openai is not installed, the key is missing, or the network is forbidden
                and the server is not on this machine.
        """
        check_url(name.base_url)
        self.local = is_loopback(name.base_url)
        """Whether it runs on this machine."""
        thought = name.settings.thought
        self.model_id = f"openai:{name.model}@{name.base_url}" + (f"?{thought}" if thought else "")
        self.settings = name.settings
        self.lacking: set[str] = set()
        """Fields of a question that it refused, as Chat.refused names them."""
        self._model, self._url = name.model, name.base_url
        key = read_key(name, local=self.local)
        self._key = SecretStr(key)
        self._key_env = (name.settings.key_env or OPENAI_KEY) if key else ""
        self._client = _client(name, key, local=self.local)
        self._breaker = CircuitBreaker(
            self.model_id, failures=name.settings.failures, pause_s=name.settings.pause_s
        )
        self._closed = threading.Event()
        self._running: set[Future[Reply]] = set()

    def ask(self, chat: Chat, *, whole: bool = True) -> Reply:
        """One answered call, after as many attempts as the settings allow.

        Args:
            chat: what to ask.
            whole: whether the answers have to have come to their own end.

        Raises:
            Retryable: the answer was empty, broke off or did not end; its error carries what it
                cost.
            Terminal: the server is down, overloaded, too slow or left alone; the question is too
                long; it declined.
            ConfigError: the key, the model's name or a field is wrong, or it lacks what is needed.
        """
        check_url(self._url)
        began = time.monotonic()
        end = began + self.settings.total_s
        attempts = 0
        while True:
            body = chat.body(self._model, self.lacking, self.settings)
            self._breaker.enter()
            result = self._attempt(chat, body, whole, max(end - time.monotonic(), 0.01))
            if isinstance(result, Reply):
                return result
            if self._drop_field(chat, result):
                continue
            attempts += 1
            wait_s = self._pause(result, attempts, end - time.monotonic())
            if wait_s is None:
                raise self._final(result, attempts, time.monotonic() - began)
            self._closed.wait(wait_s)

    def close(self) -> None:
        """Give up what is under way, and answer nothing any more: nobody waits for a hung server.

        Whoever is waiting gets Terminal.
        """
        self._closed.set()
        for future in tuple(self._running):
            future.cancel()

    def cannot(self, what: str, why: str) -> ConfigError:
        """Say what is lacking."""
        return ConfigError(
            f"expected a model that can {what}, {self.model_id} cannot: {why}; choose another "
            "model or server (docs/models.md)",
            ErrorCode.CAPABILITY_MISSING,
        )

    def _attempt(
        self, chat: Chat, body: dict[str, Any], whole: bool, left_s: float
    ) -> Reply | Failure:
        from openai import APIError

        future = background_loop.start(read_reply(self._client, body, self.settings, left_s))
        self._running.add(future)
        try:
            if self._closed.is_set():
                future.cancel()
            reply = future.result()
        except (APIError, Late, ValueError) as error:
            result = judge(error, server=self.model_id, scrub=self._scrub, key_env=self._key_env)
        except CancelledError:
            gone = (
                f"expected an answer from {self.model_id}, it was closed while it was asked; load "
                "it anew"
            )
            result = Failure(error=Terminal(gone, ErrorCode.MODEL_UNAVAILABLE))
        except BaseException:
            # The caller was interrupted: nobody waits for the answer any more.
            future.cancel()
            self._breaker.left()
            raise
        else:
            result = self._complaint(chat, reply, whole) or reply
        finally:
            self._running.discard(future)
        if isinstance(result, Failure) and result.sick:
            status = f"{result.status}: " if result.status else ""
            self._breaker.failed(status + (result.said or str(result.error)))
        else:
            self._breaker.succeeded()
        return result

    def _complaint(self, chat: Chat, reply: Reply, whole: bool) -> Failure | None:
        """What makes a reply worthless; None: nothing."""
        cut = next((c for c in reply.choices if not c.finish), None)
        declined = next((c for c in reply.choices if c.declined), None)
        error: FmrlError | None = None
        if not reply.choices:
            error = Retryable(
                f"expected an answer from {self.model_id}, got an empty reply; ask again, or look "
                "what the server says"
            )
        elif declined is not None:
            said = declined.refusal[:80] or "its filter caught the answer"
            error = Terminal(
                f"expected an answer from {self.model_id}, it declined: {said}; ask for something "
                "else",
                ErrorCode.INSTRUCTION_REFUSED,
            )
        elif cut is not None:
            error = Retryable(
                f"expected a whole answer from {self.model_id}, it broke off ({reply.broken}) "
                f"after {cut.text[-80:]!r}; ask again, or look what the server says"
            )
        elif whole:
            error = self._unfit(chat, reply)
        if error is None:
            return None
        prompt_tokens, completion_tokens = tokens(chat, reply)
        error.usage = Usage(
            role="", model=self.model_id, prompt_sha256="", prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
        )  # fmt: skip
        return Failure(error=error, sick=cut is not None or not reply.choices, said=str(error))

    def _unfit(self, chat: Chat, reply: Reply) -> FmrlError | None:
        for choice in reply.choices:
            empty = not choice.text.strip()
            thoughts = f" after {len(choice.thoughts)} characters of thoughts"
            if choice.finish == "length":
                return Retryable(
                    f"expected an answer that ends, that of {self.model_id} did not end within "
                    f"{chat.max_tokens} tokens{thoughts if choice.thoughts else ''}: "
                    f"{choice.text[:80]!r}; answer more briefly, or {MORE_ROOM}"
                )
            if empty and choice.thoughts:
                return Retryable(
                    f"expected an answer from {self.model_id}, got none{thoughts} "
                    f"({choice.finish}); {MORE_ROOM}"
                )
            if empty and not chat.stop:
                return Retryable(
                    f"expected an answer from {self.model_id}, got an empty one "
                    f"({choice.finish}); ask again, or in other words"
                )
            if chat.logprobs and not choice.token_logprobs:
                return self.cannot("tell log-probabilities", "it sent none")
            if chat.logprobs and not all(map(math.isfinite, choice.token_logprobs)):
                return self.cannot("tell log-probabilities", "some that it sent are no numbers")
        return None

    def _drop_field(self, chat: Chat, failure: Failure) -> bool:
        """Learn from a refusal what this server does not take; whether to ask without it.

        Raises:
            ConfigError: what it does not take cannot be made up for.
        """
        used = [f for f in chat.taken(self.lacking) if failure.status < 500 or f == "images"]
        if failure.status not in (400, 422) and failure.status < 500:
            return False
        field = refused_field(failure.said, failure.param, used)
        if not field or failure.error.code == ErrorCode.INSTRUCTION_TOO_LONG:
            return False
        if field in ("images", "logprobs"):
            what = "look at pictures" if field == "images" else "tell log-probabilities"
            raise self.cannot(what, failure.said)
        if field in THINKING:
            self._check_thinking(chat, field, failure.said)
        self.lacking.add(chat.refused(field))
        _log.warning("model=%s refuses field=%s, asked without it", self.model_id, field)
        return True

    def _check_thinking(self, chat: Chat, field: str, said: str) -> None:
        """Go on without one of two forms in which a setting was sent, and not without the setting.

        Raises:
            ConfigError: the server takes neither.
        """
        effort = self.settings.reasoning_effort
        named = field == "reasoning_effort" and effort != ""
        if named or not set(THINKING) & set(chat.taken({*self.lacking, field})):
            told = f"reasoning_effort={effort}" if named else f"thinking={self.settings.thinking}"
            raise ConfigError(
                f"expected a server that takes ?{told}, {self.model_id} refuses it: {said}; name "
                "another value, or leave the setting out"
            )

    def _pause(self, failure: Failure, attempts: int, left_s: float) -> float | None:
        """Seconds to wait before the next attempt, or None where there is none."""
        if not failure.again or attempts >= self.settings.attempts:
            return None
        longest = min(BACKOFF_S * 2 ** (attempts - 1), LONGEST_BACKOFF_S)
        wait_s = random.uniform(0.5, 1.0) * longest  # noqa: S311
        if failure.retry_after_s is not None:
            # A little later than asked, or all who were sent away come back at once.
            wait_s = failure.retry_after_s * random.uniform(1.0, 1.1)  # noqa: S311
        return wait_s if wait_s < left_s else None

    def _final(self, failure: Failure, attempts: int, took_s: float) -> FmrlError:
        error = failure.error
        if failure.no_model:
            listed = self._listed()
            return type(error)(f"{error}; it has {listed}" if listed else str(error), error.code)
        if not failure.again:
            return error
        wait = failure.retry_after_s
        asked = f", it asks to wait {wait:.0f} s" if wait is not None else ""
        return Terminal(
            f"{error} (attempt {attempts} of {self.settings.attempts}, {took_s:.1f} s{asked}); "
            "look whether the server runs and what it says",
            ErrorCode.MODEL_UNAVAILABLE,
        )

    def _listed(self) -> str:
        """The models that the server says it has; empty where it does not say."""
        from openai import APIError

        async def ask() -> Any:
            return await self._client.models.list(timeout=_LIST_S)

        try:
            page = background_loop.start(ask()).result()
        except (APIError, ValueError):
            return ""
        names = [str(getattr(m, "id", m)) for m in getattr(page, "data", None) or ()]
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        return self._scrub(", ".join(names[:_LISTED]) + more)

    def _scrub(self, text: str) -> str:
        """Take the key out of a text; some servers repeat it."""
        key = self._key.get_secret_value()
        return text.replace(key, "[key]") if key else text


def tokens(chat: Chat, reply: Reply) -> tuple[int, int]:
    """Tokens of prompt and answers; where the server is silent the prompt has four bytes each."""
    if reply.billed:
        return reply.prompt_tokens, reply.completion_tokens
    return len(chat.prompt.encode(errors="replace")) // 4 + 1, reply.completion_tokens


def _client(name: ServerName, key: str, *, local: bool) -> Any:
    """An SDK client that neither retries nor follows a redirect to who knows where."""
    try:
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient
    except ImportError as error:
        raise not_installed("openai for models behind a server") from error
    # Plain text has no certificate to check, and reading all authorities takes long.
    # This context trusts nobody, should anything ever come to it.
    plain = local and name.base_url.startswith("http:")
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True
    client = AsyncOpenAI(
        base_url=name.base_url,
        # The SDK wants one; a server on this machine overlooks it.
        api_key=key or "none",
        max_retries=0,
        # A proxy of the environment would carry what is meant for this machine elsewhere.
        http_client=DefaultAsyncHttpxClient(
            follow_redirects=False, trust_env=not local, verify=trusted
        ),
    )
    if name.named:
        # These too belong to the SDK's own server, and are nobody else's business.
        client.organization = client.project = None
    return client

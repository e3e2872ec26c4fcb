"""One chat completion as a stream, with a deadline for each thing that can be late.

It is always streamed, because only a stream shows that an answer broke off half-way: its last
chunk, with the reason why the answer ended, never comes.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import Any

from fmrl_robot.fm.openai_settings import ServerSettings
from fmrl_robot.fm.undressing import split_thoughts

TAIL_S = 1.0
"""After the last answer ended: how long the bill is waited for, s."""
_PATIENCE = {
    "first token": "first_token_s",
    "next token": "between_tokens_s",
    "end of the answer": "total_s",
}
"""What is waited for, and the setting that says how long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One of the answers."""

    text: str
    """Without thoughts, whether the server parted them from the answer or not."""
    thoughts: str
    finish: str
    """Why it ended: stop, length, content_filter; empty where it broke off."""
    refusal: str
    token_logprobs: tuple[float, ...]
    """Not finite where the server sent no number."""

    @property
    def declined(self) -> bool:
        """Whether the model, or a filter behind it, refused."""
        return bool(self.refusal) or self.finish == "content_filter"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What came back."""

    choices: tuple[Choice, ...]
    prompt_tokens: int
    completion_tokens: int
    billed: bool
    """Whether the server counted the tokens; else the answer's are as many as chunks came, and the
    prompt's are unknown (0)."""
    broken: str = ""
    """Why the stream ended before its answers did; empty where it did not."""


class Late(Exception):
    """Nothing came in time; the message says what was waited for."""


class _Heard:
    """Gathers chunks. A server may send anything, so nothing is taken for granted."""

    def __init__(self) -> None:
        self._texts: dict[int, list[str]] = {}
        self._thoughts: dict[int, list[str]] = {}
        self._finishes: dict[int, str] = {}
        self._refusals: dict[int, str] = {}
        self._logprobs: dict[int, list[float]] = {}
        self._chunks = 0
        self._bill: tuple[int, int] | None = None

    @property
    def anything(self) -> bool:
        """Whether a token came."""
        return bool(self._chunks or self._finishes)

    @property
    def finished(self) -> bool:
        """Whether every answer that began has ended."""
        return bool(self._finishes) and set(self._texts) <= set(self._finishes)

    def add(self, chunk: Any) -> bool:
        """Take a chunk in; return whether it carried a token or an end."""
        usage = getattr(chunk, "usage", None)
        counts = [getattr(usage, n, None) for n in ("prompt_tokens", "completion_tokens")]
        if all(isinstance(c, int) for c in counts):
            self._bill = (counts[0] or 0, counts[1] or 0)
        choices = getattr(chunk, "choices", None)
        parts = choices if isinstance(choices, list) else []
        return any([self._add_choice(c) for c in parts])

    def _add_choice(self, choice: Any) -> bool:
        number, delta = getattr(choice, "index", 0), getattr(choice, "delta", None)
        index = number if isinstance(number, int) else 0
        text = _text(delta, "content")
        thought = _text(delta, "reasoning_content") or _text(delta, "reasoning")
        refusal, finish = _text(delta, "refusal"), _text(choice, "finish_reason")
        self._texts.setdefault(index, []).append(text)
        self._thoughts.setdefault(index, []).append(thought)
        self._refusals[index] = self._refusals.get(index, "") + refusal
        if finish:
            self._finishes[index] = finish
        tokens = getattr(getattr(choice, "logprobs", None), "content", None)
        for token in tokens if isinstance(tokens, list) else []:
            # The SDK makes a float of every whole number that fits into one.
            value = getattr(token, "logprob", None)
            log = value if isinstance(value, float) else math.nan
            self._logprobs.setdefault(index, []).append(log)
        spoke = bool(text or thought or refusal)
        self._chunks += spoke
        return spoke or bool(finish)

    def reply(self, broken: str = "") -> Reply:
        """Everything that came."""
        choices = tuple(map(self._choice, sorted(self._texts)))
        prompt, completion = self._bill or (0, self._chunks)
        return Reply(
            choices=choices,
            prompt_tokens=prompt,
            completion_tokens=completion,
            billed=self._bill is not None,
            broken="" if self.finished else broken,
        )

    def _choice(self, index: int) -> Choice:
        text, more = split_thoughts("".join(self._texts[index]))
        return Choice(
            text=text,
            thoughts="".join(self._thoughts[index]) + more,
            finish=self._finishes.get(index, ""),
            refusal=self._refusals[index],
            token_logprobs=tuple(self._logprobs.get(index, ())),
        )


def _text(thing: Any, name: str) -> str:
    value = getattr(thing, name, None)
    return value if isinstance(value, str) else ""


async def read_reply(
    client: Any, body: dict[str, Any], settings: ServerSettings, total_s: float
) -> Reply:
    """Ask and listen to the end.

    Args:
        client: an openai.AsyncOpenAI without retries of its own.
        body: of the chat completion.
        settings: how long to wait for what.
        total_s: how long this may take altogether, s.

    Raises:
        Late: no first token, no next token or no end in time.
        openai.APIError: the server refused, failed or could not be reached.
        ValueError: the first thing it sent was no JSON.
    """
    from openai import APIError, Timeout

    heard, loop = _Heard(), asyncio.get_running_loop()
    end = loop.time() + total_s
    patience_s, waiting = min(settings.first_token_s, total_s), "first token"
    timeout = Timeout(None, connect=min(settings.connect_s, total_s))
    try:
        async with asyncio.timeout(patience_s) as limit:
            stream = await client.chat.completions.create(**body, timeout=timeout)
            async with stream:
                async for chunk in stream:
                    if not heard.add(chunk):
                        continue
                    waiting = "next token"
                    patience_s = TAIL_S if heard.finished else settings.between_tokens_s
                    limit.reschedule(min(end, loop.time() + patience_s))
    except TimeoutError:
        if heard.finished:
            return heard.reply()
        if heard.anything and loop.time() >= end:
            waiting, patience_s = "end of the answer", total_s
        told = f"no {waiting} within {patience_s:.3g} s (?{_PATIENCE[waiting]})"
        raise Late(told) from None
    except (APIError, ValueError, RecursionError) as error:
        if heard.anything:
            return heard.reply(broken=type(error).__name__)
        if isinstance(error, RecursionError):  # nested as deep as no answer is
            raise ValueError(str(error)) from None
        raise
    return heard.reply(broken="the stream ended")

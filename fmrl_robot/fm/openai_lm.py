"""A model behind any server that speaks OpenAI's chat completions: hosted, vLLM, Ollama, llama.cpp.

What a server lacks is made up for here where that is possible (grammar, schema, samples, stop
strings: checked, asked for again, cut) and refused where it is not (pictures, log-probabilities).
Which of these it lacks is learned from its refusals; docs/models.md has the table.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fmrl_robot.errors import FmrlError, Retryable
from fmrl_robot.fm.budget import FREE, Prices, another_call, worst_case
from fmrl_robot.fm.constraints import Rule, first_stop, repair_prompt
from fmrl_robot.fm.openai_request import Chat
from fmrl_robot.fm.openai_server import Server, tokens
from fmrl_robot.fm.openai_settings import ServerName, parse_name
from fmrl_robot.fm.openai_stream import Choice, Reply
from fmrl_robot.fm.usage import prompt_sha256
from fmrl_robot.types import Completion, Image, Usage

MAX_REPAIRS = 2
"""Times that an answer off its grammar or schema is asked for again."""
RESAMPLED = 0.7
"""Temperature at which the same question is asked again: at 0 the same answer would come."""


class OpenAILM:
    """Generates. Safe to ask from several threads."""

    def __init__(self, name: ServerName) -> None:
        """Connect to nothing yet.

        Raises:
            ConfigError: see Server.
        """
        self._server = Server(name)
        self.model_id = self._server.model_id
        """Model and base URL, with the settings of thinking; the others change no answer."""
        self.prices: Prices | None = name.settings.prices or (FREE if self._server.local else None)
        """What tokens cost; None where a hosted model's prices were not named."""
        self.max_tokens = name.settings.max_tokens
        """Of each answer, thoughts included, whatever the asker allows; None: as the asker does."""
        self.short_prompts = name.settings.prompts == "short"
        """Whether it was trained on this project's own short prompts, and reads nothing else."""
        self._overlooks_rules = False
        self._sees: bool | None = None

    def __repr__(self) -> str:
        return f"OpenAILM({self.model_id!r})"

    @property
    def sees_images(self) -> bool:
        """Whether it looks at pictures; taken for granted until the first one shows."""
        return self._sees is not False

    def generate(
        self,
        prompt: str,
        *,
        n: int = 1,
        grammar: str | None = None,
        schema: Mapping[str, Any] | None = None,
        stop: Sequence[str] = (),
        max_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        logprobs: bool = False,
        images: Sequence[Image] = (),
        role: str = "plan",
    ) -> tuple[Completion, ...]:
        """Complete ``prompt``; see Generates. Thoughts are no part of an answer.

        Log-probabilities come without the end mark's, of the text before it was undressed.

        Raises:
            Retryable: the answer was empty, broke off, did not end, was all thoughts, or left its
                grammar or schema also after MAX_REPAIRS repairs.
            Terminal: the server is down, overloaded or too slow, the question is too long for it,
                it declined, or a repair could pass the budget.
            ConfigError: the key, the model's name or a setting is wrong, or the server lacks
                pictures or log-probabilities.
        """
        settings = self._server.settings
        chat = Chat(
            prompt=prompt, rule=Rule(grammar=grammar, schema=schema), n=n, stop=tuple(stop),
            max_tokens=self.max_tokens or max_tokens, temperature=temperature, top_p=top_p,
            seed=seed, logprobs=logprobs, images=images, thinking=settings.thinks,
            effort=settings.effort,
        )  # fmt: skip
        bill = _Bill(self.model_id, chat, role, self.prices or FREE)
        try:
            answers = [self._held_to_rule(chat, c, bill) for c in self._samples(chat, bill)]
        except FmrlError as error:
            error.usage = bill.usage() if bill.calls else None
            raise
        usage = bill.usage()
        return tuple(
            Completion(text=text, usage=usage, token_logprobs=logs) for text, logs in answers
        )

    def close(self) -> None:
        """Give up what is under way; whoever waits for it gets Terminal."""
        self._server.close()

    def _samples(self, chat: Chat, bill: _Bill) -> list[Choice]:
        """As many answers as are wanted; a server that overlooks ``n`` is asked that often."""
        told = chat
        in_words = bool(chat.rule) and not self.short_prompts
        if in_words and (self._overlooks_rules or self._is_not_sent(chat)):
            told = replace(chat, prompt=f"{chat.prompt}\n\n{chat.rule.text}")
        choices = list(self._ask(told, bill).choices[: chat.n])
        for index in range(len(choices), chat.n):
            # With a seed of its own, or every sample would be the same.
            again = replace(told, n=1, seed=chat.seed + index)
            choices += self._ask(again, bill).choices[:1]
        return choices

    def _is_not_sent(self, chat: Chat) -> bool:
        field = "grammar" if chat.rule.grammar is not None else "response_format"
        settings = self._server.settings
        way = settings.grammar if field == "grammar" else settings.schema
        return way == "none" or chat.refused(field) in self._server.lacking

    def _held_to_rule(
        self, chat: Chat, choice: Choice, bill: _Bill
    ) -> tuple[str, tuple[float, ...]]:
        text = problem = ""
        asked = chat.prompt
        for repair in range(MAX_REPAIRS + 1):
            if repair:
                again = replace(chat, n=1, seed=chat.seed + repair)
                if not self.short_prompts:  # those would not understand what was wrong
                    prompt = repair_prompt(chat.prompt, chat.rule, text, problem)
                    again = replace(again, prompt=prompt)
                if again.prompt == asked:
                    again = replace(again, temperature=chat.temperature or RESAMPLED)
                asked = again.prompt
                choice = self._ask(again, bill).choices[0]
            # Some servers leave the stop string in.
            said = choice.text[: first_stop(choice.text, chat.stop)]
            text, problem = chat.rule.read(said)
            if not problem:
                return text, choice.token_logprobs
            # It took the rule without a word and did not keep it: from now on it is told in words.
            self._overlooks_rules = True
        raise Retryable(
            f"expected an answer that keeps its {chat.rule.kind}, {self.model_id} did not in "
            f"{MAX_REPAIRS + 1} answers, the last was {text[:80]!r}: {problem}; ask again, or "
            "choose a larger model"
        )

    def _ask(self, chat: Chat, bill: _Bill, *, whole: bool = True) -> Reply:
        """One call, paid for."""
        if bill.calls:
            images = len(chat.images)
            another_call(worst_case(chat.prompt, chat.n, chat.max_tokens, images, self.prices))
        try:
            reply = self._server.ask(chat, whole=whole)
        except FmrlError as error:
            if error.usage is not None:
                bill.add(error.usage.prompt_tokens, error.usage.completion_tokens)
            raise
        bill.add(*tokens(chat, reply))
        if len(chat.images) and whole:
            self._check_sight(chat, reply, bill)
        return reply

    def _check_sight(self, chat: Chat, reply: Reply, bill: _Bill) -> None:
        """Find out, once, whether the server looks at pictures or drops them without a word.

        Raises:
            ConfigError: the prompt has no more tokens with pictures than without.
        """
        if self._sees is None and reply.billed:
            blind = replace(chat, images=(), n=1, rule=Rule(), stop=(), max_tokens=1)
            probe = self._ask(blind, bill, whole=False)
            if probe.billed:
                self._sees = reply.prompt_tokens > probe.prompt_tokens
        if self._sees is False:
            raise self._server.cannot("look at pictures", "it dropped them without a word")


class _Bill:
    """What one question took, all its calls together."""

    def __init__(self, model_id: str, chat: Chat, role: str, prices: Prices) -> None:
        self.calls = 0
        self._model_id, self._chat, self._role, self._prices = model_id, chat, role, prices
        self._began = time.monotonic()
        self._tokens = (0, 0)

    def add(self, prompt_tokens: int, completion_tokens: int) -> None:
        self.calls += 1
        before = self._tokens
        self._tokens = (before[0] + prompt_tokens, before[1] + completion_tokens)

    def usage(self) -> Usage:
        return Usage(
            role=self._role,
            model=self._model_id,
            prompt_sha256=prompt_sha256(self._chat.prompt),
            seed=self._chat.seed if self._chat.temperature > 0 else 0,
            calls=self.calls,
            prompt_tokens=self._tokens[0],
            completion_tokens=self._tokens[1],
            latency_s=time.monotonic() - self._began,
            cost=self._prices.cost(*self._tokens),
        )


def load_language_model(name: str) -> OpenAILM:
    """Load by ``<model>@<base url>?<settings>``; see ServerSettings.

    Raises:
        ConfigError: see parse_name and Server.
    """
    return OpenAILM(parse_name(name))

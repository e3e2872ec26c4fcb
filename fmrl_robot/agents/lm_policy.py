"""A language model as a policy: how likely it thinks each candidate answer to a prompt.

References: Tan et al.: True Knowledge Comes from Practice (TWOSOME, ICLR 2024) for normalised
candidates and a critic on the untouched model; Carta et al.: Grounding Large Language Models in
Interactive Environments (GLAM, ICML 2023) for ``logit``; Wen et al. (POAD) for units of a token.
What a prompt and candidates share is computed once, equal questions of a batch as well, and
neither company nor padding changes a figure.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from fmrl_robot.fm.capabilities import require
from fmrl_robot.fm.tuning import LoraSettings
from fmrl_robot.train.distributions import Categorical, masked_categorical

if TYPE_CHECKING:
    from fmrl_robot.fm.exposed import Choices


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt, and the answers that it may be given now."""

    prompt: str
    candidates: tuple[str, ...]
    """As they continue the prompt; mind the space before the first word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LMPolicyConfig:
    """What learns, and how likelihoods become a policy."""

    weights: Literal["lora", "full"] = "lora"
    lora: LoraSettings = field(default_factory=LoraSettings)
    adapter: str = "policy"
    """Name of the adapter that is added; empty: go on with the one that answers now."""
    norm: Literal["sum", "token", "word", "logit"] = "token"
    """A candidate's score: log-probability of the whole, a token or a word; or the sum of logits
    before they are normalised. Sums prefer short candidates."""
    credit: Literal["action", "token"] = "action"
    """The unit whose probability is raised or lowered."""
    critic: tuple[int, ...] = (512,)
    """Hidden layers on the untouched model's last state."""
    kept: int = 8192
    """States of the untouched model that are remembered."""
    passes: int = 8
    """Questions of one forward pass; more of them share padding, and memory with gradients."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Acted:
    """Decisions for n questions, and what is needed to learn from them; without gradients."""

    choice: Tensor
    """Number of the candidate, int64 (n,)."""
    log_prob: Tensor
    """Of each unit, (n, units); 0 where padded."""
    value: Tensor
    """Before each unit, (n, units)."""
    mask: Tensor
    """True where there is a unit, bool (n, units)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Units:
    """What the policy says now of the units of m decisions, (m, units); with gradients."""

    log_prob: Tensor
    entropy: Tensor
    """Over candidates, or over the vocabulary."""
    divergence: Tensor | None
    """Of the policy from the untouched model; None: not asked for."""
    mask: Tensor


class LMPolicy:
    """Chooses, tells what it thinks of what was chosen, and values prompts."""

    def __init__(self, model: Any, config: LMPolicyConfig | None = None, seed: int = 0) -> None:
        """Free the weights that learn.

        Args:
            model: with Tunes.
            config: what learns.
            seed: of the critic's first weights; those of an adapter come from torch's own chance.

        Raises:
            ConfigError: the model lacks Tunes, or has an adapter of this name.
        """
        require(model, "Tunes", "policy optimisation of a language model")
        self.model, self.config = model, config or LMPolicyConfig()
        if self.config.weights == "lora" and self.config.adapter:
            model.add_adapter(self.config.adapter, self.config.lora)
        self.weights: list[nn.Parameter] = model.trainable(self.config.weights)
        self._kept: OrderedDict[Hashable, Tensor] = OrderedDict()
        self._ids = lru_cache(maxsize=8192)(model.encode)
        self._prompt = lru_cache(maxsize=1024)(model.read)
        width = self._frozen_states([(Question("a", (" a",)), 0)], tokens=False)[0].shape[-1]
        self.critic = _critic(width, self.config.critic, seed).to(self.weights[0].device)

    # --- Acting -----------------------------------------------------------------------------------

    @torch.no_grad()
    def act(
        self, questions: Sequence[Question], rng: torch.Generator, *, greedy: bool = False
    ) -> Acted:
        """Choose a candidate for each question.

        Args:
            questions: (n,)
            rng: chance, of the CPU.
            greedy: take the likeliest instead.
        """
        places, alone = _together(questions)
        logits: list[Tensor] = [torch.zeros(0)] * len(alone)
        chosen_logprobs: list[Tensor] = [torch.zeros(0)] * len(alone)
        for numbers in self._passes(alone):
            asked = [alone[i] for i in numbers]
            shown = self._shown(asked)
            for row, i in enumerate(numbers):
                count = len(alone[i].candidates)
                logits[i] = self._scores(shown, asked)[row, :count].cpu()
                chosen_logprobs[i] = shown.token_logprobs[row, :count].cpu()
        choices: list[int] = []
        for place in places:
            policy = Categorical(F.log_softmax(logits[place], dim=-1)[None])
            choices.append(int(policy.mode() if greedy else policy.sample(rng)))
        decisions = list(zip(questions, choices, strict=True))
        rows: list[Tensor] = []
        for place, (question, choice) in zip(places, decisions, strict=True):
            if self.config.credit == "action":
                rows.append(F.log_softmax(logits[place], dim=-1)[choice : choice + 1])
            else:
                tokens = len(self._ids(question.candidates[choice]))
                rows.append(chosen_logprobs[place][choice, :tokens])
        log_prob, mask = _padded(rows)
        value, _ = self.values(decisions)
        return Acted(choice=torch.tensor(choices), log_prob=log_prob, value=value, mask=mask)

    def distribution(self, questions: Sequence[Question]) -> Categorical:
        """Over the candidates of each question, (n, most candidates); with gradients."""
        return self._distribution(self._shown(questions), questions)

    # --- What a learner needs ---------------------------------------------------------------------

    def passes(self, decisions: Sequence[tuple[Question, int]]) -> list[list[int]]:
        """Numbers of decisions that go through the model together: similar lengths, equal ones."""
        keys = [self._key(d) for d in decisions]
        places, alone = _together(keys)
        of: dict[int, list[int]] = {}
        for number, place in enumerate(places):
            of.setdefault(place, []).append(number)
        groups = self._passes([key if isinstance(key, Question) else key[0] for key in alone])
        return [[number for place in group for number in of[place]] for group in groups]

    def units(self, decisions: Sequence[tuple[Question, int]], *, divergence: bool) -> Units:
        """Say what the policy thinks of decisions now, in one pass, with gradients.

        Args:
            decisions: questions with the numbers of the candidates that were chosen.
            divergence: whether to compare with the untouched model.
        """
        keys = [self._key(d) for d in decisions]
        places, alone = _together(keys)
        at = torch.tensor(places, device=self.weights[0].device)
        if self.config.credit == "action":
            return self._of_actions([q for q, _ in decisions], decisions, at, divergence)
        asked = [Question(q.prompt, (q.candidates[c],)) for q, c in alone]  # pyright: ignore
        shown = self._shown(asked)
        logits = shown.logits.log_softmax(-1)
        entropy = shown.before(-(logits.exp() * logits).sum(-1))[:, 0]
        apart = None
        if divergence:
            with torch.no_grad(), self.model.adapter(None):
                frozen = self._shown(asked).logits.log_softmax(-1)
            apart = shown.before((logits.exp() * (logits - frozen)).sum(-1))[:, 0][at]
        return Units(
            log_prob=shown.token_logprobs[:, 0][at], entropy=entropy[at], divergence=apart,
            mask=shown.mask[:, 0][at],
        )  # fmt: skip

    def _of_actions(
        self,
        questions: Sequence[Question],
        decisions: Sequence[tuple[Question, int]],
        at: Tensor,
        divergence: bool,
    ) -> Units:
        _, alone = _together(questions)
        policy = self.distribution(alone)
        apart = None
        if divergence:
            with torch.no_grad(), self.model.adapter(None):
                frozen = self.distribution(alone)
            apart = policy.divergence(frozen)[at][:, None]
        chosen = torch.tensor([c for _, c in decisions], device=at.device)
        log_prob = policy.log_probs[at, chosen][:, None]
        return Units(
            log_prob=log_prob, entropy=policy.entropy()[at][:, None], divergence=apart,
            mask=torch.ones_like(log_prob, dtype=torch.bool),
        )  # fmt: skip

    def values(self, decisions: Sequence[tuple[Question, int]]) -> tuple[Tensor, Tensor]:
        """Values before the units of decisions, (m, units), and which are no padding.

        Gradients flow into the critic alone: the states that it reads are the untouched model's.
        """
        states = self._frozen_states(decisions, tokens=self.config.credit == "token")
        lengths = [len(s) for s in states]
        said = self.critic(torch.cat(states).to(self.weights[0].device))[:, 0]
        return _padded(said.split(lengths))

    def values_of(self, questions: Sequence[Question]) -> Tensor:
        """Values of questions before anything is chosen, (n,)."""
        states = self._frozen_states([(q, 0) for q in questions], tokens=False)
        return self.critic(torch.cat(states).to(self.weights[0].device))[:, 0]

    @torch.no_grad()
    def values_now(self, questions: Sequence[Question]) -> Tensor:
        """The same without gradients, on the CPU."""
        return self.values_of(questions).cpu()

    # --- State ------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Everything that learns."""
        return {"weights": [w.detach() for w in self.weights], "critic": self.critic.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was called; of the same model and settings."""
        with torch.no_grad():
            for weights, kept in zip(self.weights, state["weights"], strict=True):
                weights.copy_(kept)
        self.critic.load_state_dict(state["critic"])

    # --- Inside -----------------------------------------------------------------------------------

    def _key(self, decision: tuple[Question, int]) -> Any:
        """What has to be equal for two decisions to be computed once."""
        return decision[0] if self.config.credit == "action" else decision

    def _shown(self, questions: Sequence[Question]) -> Choices:
        return self.model.forward_choices(
            [(self._prompt(q.prompt), [self._ids(c) for c in q.candidates]) for q in questions]
        )

    def _distribution(self, shown: Choices, questions: Sequence[Question]) -> Categorical:
        counts = torch.tensor([len(q.candidates) for q in questions])
        there = torch.arange(shown.ids.shape[1]) < counts[:, None]
        return masked_categorical(self._scores(shown, questions), there.to(shown.ids.device))

    def _scores(self, shown: Choices, questions: Sequence[Question]) -> Tensor:
        """(questions, candidates)."""
        norm = self.config.norm
        if norm == "logit":
            return shown.token_logits.sum(-1)
        sums = shown.token_logprobs.sum(-1)
        if norm == "token":
            return sums / shown.mask.sum(-1).clamp_min(1)
        if norm == "word":
            words, _ = _padded(
                [torch.tensor([float(len(c.split())) for c in q.candidates]) for q in questions]
            )
            return sums / words.to(sums.device).clamp_min(1.0)
        return sums

    def _passes(self, questions: Sequence[Question]) -> list[list[int]]:
        """Numbers of questions in groups of similar length."""
        order = sorted(range(len(questions)), key=lambda i: len(questions[i].prompt))
        size = self.config.passes
        return [order[i : i + size] for i in range(0, len(order), size)]

    @torch.no_grad()
    def _frozen_states(
        self, decisions: Sequence[tuple[Question, int]], *, tokens: bool
    ) -> list[Tensor]:
        """Last states of the untouched model before the units of decisions, (units, dim) each."""
        keys: list[Hashable] = [
            (q.prompt, q.candidates[c] if tokens else None) for q, c in decisions
        ]
        missing = {k: d for k, d in zip(keys, decisions, strict=True) if k not in self._kept}
        found = {k: self._kept[k] for k in keys if k in self._kept}
        new = list(missing)
        with self.model.adapter(None):
            for numbers in self._passes([missing[k][0] for k in new]):
                asked = [missing[new[i]] for i in numbers]
                rows = [Question(q.prompt, (q.candidates[c] if tokens else "",)) for q, c in asked]
                shown = self._shown(rows)
                for row, i in enumerate(numbers):
                    states = shown.places[row, 0, shown.mask[row, 0]] if tokens else [0]
                    found[new[i]] = shown.hidden[row, states].clone()
        for key in new:
            self._kept[key] = found[key]
        for key in keys:
            self._kept.move_to_end(key)
        while len(self._kept) > max(self.config.kept, 1):
            self._kept.popitem(last=False)
        return [found[k] for k in keys]


def _critic(width: int, hidden: tuple[int, ...], seed: int) -> nn.Sequential:
    """ReLU layers from a state to one value, which is 0 at first."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for size in hidden:
            layers += [nn.Linear(width, size), nn.ReLU()]
            width = size
        last = nn.Linear(width, 1)
    nn.init.normal_(last.weight, std=1e-3 / math.sqrt(width))
    nn.init.zeros_(last.bias)
    return nn.Sequential(*layers, last)


def _together(items: Sequence[Any]) -> tuple[list[int], list[Any]]:
    """The place of each item among those that differ, and these."""
    number: dict[Any, int] = {}
    return [number.setdefault(item, len(number)) for item in items], list(number)


def _padded(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Rows in one tensor, zeros behind, and where they are, (rows, longest)."""
    values = nn.utils.rnn.pad_sequence(list(rows), batch_first=True)
    lengths = torch.tensor([len(row) for row in rows], device=values.device)
    return values, torch.arange(values.shape[1], device=values.device) < lengths[:, None]

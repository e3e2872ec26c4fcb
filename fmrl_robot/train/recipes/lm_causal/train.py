"""Train an embedded causal language model: a small Llama, read by transformers like any other.

``project`` answers questions about this project's world in a chat; ``prior`` continues transcripts
of chores elsewhere, without a chat.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fmrl_robot.train import language
from fmrl_robot.train.precision import fast_math
from fmrl_robot.train.recipes import lm_loop
from fmrl_robot.train.recipes.lm_causal import corpus, prior
from fmrl_robot.train.recipes.lm_embedded.tokenizer import MARKS, train_tokenizer

if TYPE_CHECKING:
    from fmrl_robot.train.team import Team

log = logging.getLogger(__name__)

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ '<|user|>' + message['content'] + '<|assistant|>' }}"
    "{% else %}{{ message['content'] + eos_token }}{% endif %}{% endfor %}"
)
"""A question stands between two marks, its answer ends with the end mark."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CausalConfig(language.Schedule):
    """How an embedded causal model is trained."""

    corpus: Literal["project", "prior"] = "project"
    out: Path = Path("policies/lm-causal")
    batch_size: int = 24
    """Of each process."""
    width: int = 256
    layers: int = 6
    heads: int = 4
    vocab_size: int = 2048
    """Of the tokenizer before the plan languages' own tokens."""
    tokenizer_examples: int = 60_000
    question_weight: float = 0.2
    """Weight of predicting the question beside the answer."""
    seed: int = 0
    start_from: Path | None = None
    """Folder of an earlier result to go on from, or None."""


def pairs(cfg: CausalConfig, seed: int) -> Iterator[tuple[str, str]]:
    """Questions and answers of the configured corpus."""
    return (corpus if cfg.corpus == "project" else prior).pairs(seed)


def build_tokenizer(cfg: CausalConfig) -> Any:
    """Learn a tokenizer; only the project's has a chat template."""
    sample = itertools.islice(pairs(cfg, cfg.seed + 1), cfg.tokenizer_examples)
    chat = cfg.corpus == "project"
    tokenizer = train_tokenizer(
        (f"{q}\n{a}" for q, a in sample), cfg.vocab_size, atoms=chat, marks=chat
    )
    if chat:
        tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def build_model(cfg: CausalConfig, vocab: int) -> Any:
    """An untrained Llama."""
    from transformers import LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocab,
            hidden_size=cfg.width,
            intermediate_size=int(cfg.width * 2.75),
            num_hidden_layers=cfg.layers,
            num_attention_heads=cfg.heads,
            num_key_value_heads=cfg.heads,
            max_position_embeddings=1024,
            tie_word_embeddings=True,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=0,
        )
    )
    # Who asks it for plans has to know that it was taught one line, and no guide with examples.
    model.config.short_prompts = cfg.corpus == "project"
    return model


def rows(cfg: CausalConfig, tokenizer: Any, rank: int = 0) -> Iterator[tuple[Any, Any]]:
    """Yield padded batches of similar length: ids, and which of them are answers."""
    user, assistant = tokenizer.convert_tokens_to_ids(list(MARKS))

    def encoded(question: str, answer: str) -> tuple[list[int], list[int]]:
        head = [1]
        if question:
            head += [user, *tokenizer.encode(question, add_special_tokens=False), assistant]
        return head, [*tokenizer.encode(answer, add_special_tokens=False), 2]

    source = itertools.starmap(encoded, pairs(cfg, cfg.seed + 1_000 * rank))
    for chunk in language.by_length(
        source, lambda row: len(row[0]) + len(row[1]), size=cfg.batch_size, pooled=16, seed=cfg.seed
    ):
        yield language.padded_answers(chunk)


def save(model: Any, tokenizer: Any, cfg: CausalConfig) -> None:
    """Write the folder as transformers reads it, in half precision."""
    import torch

    half = build_model(cfg, len(tokenizer)).to(torch.float16)
    half.load_state_dict({k: v.to(torch.float16) for k, v in model.state_dict().items()})
    half.save_pretrained(cfg.out)
    tokenizer.save_pretrained(cfg.out)
    lm_loop.write_recipe(cfg)


def train(cfg: CausalConfig) -> dict[str, float]:
    """Train and write ``cfg.out``; return the figures of the last step."""
    return lm_loop.train_together(cfg, _learn, build_tokenizer)


def _learn(cfg: CausalConfig, team: Team) -> dict[str, float]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)
    torch.manual_seed(cfg.seed)
    words = AutoTokenizer.from_pretrained(cfg.out, local_files_only=True)
    if cfg.start_from:
        model = AutoModelForCausalLM.from_pretrained(cfg.start_from, dtype=torch.float32)
    else:
        model = build_model(cfg, len(words))
    model.train()
    torch.manual_seed(cfg.seed + 1_000 * team.rank)

    def losses(batch: Any) -> tuple[Any, Any]:
        ids, answer = batch
        wanted = ids[:, 1:] != 0
        with fast_math():
            # Padding sits at the end, where causal attention cannot see it.
            states = model.model(ids[:, :-1]).last_hidden_state
            logits = model.lm_head(states[wanted])
        return language.answer_losses(logits, ids, answer, cfg.question_weight)

    if team.rank == 0:
        log.info("parameters=%d vocab=%d", model.num_parameters(), len(words))
    source = rows(cfg, words, team.rank)
    return language.learn(model, source, losses, cfg, team, lambda: save(model, words, cfg))

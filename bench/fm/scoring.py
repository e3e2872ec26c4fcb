"""Scoring continuations, beside what one would write first (a loop) and second (one batch)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from bench.common import Table
from bench.fm.models import PROMPTS, TAILS, Models
from bench.fm.pair import in_ms, spread
from bench.fm.record import Record

Row = tuple[list[int], list[int]]
"""Ids of a prompt and of one continuation."""


def scoring(models: Models, record: Record) -> Table:
    """Ten continuations of one prompt and of six."""
    table = Table(
        "Scoring",
        ("", "rows", "ours, ms", "one call a row, ms", "ours of it", "one padded call, ms",
         "ours of it"),
        "The loop and the padded call are transformers alone; both read the prompt once a row.",
    )  # fmt: skip
    for name, model in models.all().items():
        for prompts in (PROMPTS[:1], PROMPTS):
            _measure(table, record, name, model, prompts)
    return table


def _measure(table: Table, record: Record, name: str, model: Any, prompts: Sequence[str]) -> None:
    asked = [TAILS] * len(prompts)
    rows = [
        (model.encode_prompt(p), model.encode(c))
        for p, several in zip(prompts, asked, strict=True)
        for c in several
    ]
    label = f"{name}, {len(prompts)} x {len(TAILS)}"

    def ours() -> None:
        model.score(prompts, asked)

    loop = record.pair(f"score {label} against a loop", ours, lambda: _loop(model, rows))
    batch = record.pair(f"score {label} against a batch", ours, lambda: _batch(model, rows))
    table.add(
        label, str(len(rows)), in_ms(loop.ours), in_ms(loop.raw), spread(loop.ratios),
        in_ms(batch.raw), spread(batch.ratios),
    )  # fmt: skip


def _loop(model: Any, rows: Sequence[Row]) -> list[float]:
    """As one would write it first: a call a continuation."""
    return [score for row in rows for score in _batch(model, [row])]


def _batch(model: Any, rows: Sequence[Row]) -> list[float]:
    """As one would write it second: prompts with continuations, padded on the right."""
    device, loaded = model.module.device, model._loaded
    heads = [[loaded.start_id, *p] if loaded.seq2seq else p for p, _ in rows]
    whole = [torch.tensor([*h, *c]) for h, (_, c) in zip(heads, rows, strict=True)]
    ids = torch.nn.utils.rnn.pad_sequence(whole, batch_first=True).to(device)
    if loaded.seq2seq:
        texts = [model.tokenizer.decode(p) for p, _ in rows]
        read = loaded.encoder_tokenizer(texts, return_tensors="pt", padding=True).to(device)
        inputs = {k: read[k] for k in ("input_ids", "attention_mask")} | {"decoder_input_ids": ids}
    else:
        mask = torch.nn.utils.rnn.pad_sequence(
            [torch.ones_like(w) for w in whole], batch_first=True
        )
        inputs = {"input_ids": ids, "attention_mask": mask.to(device)}
    with torch.inference_mode():
        logprobs = model.module(**inputs).logits[:, :-1].float().log_softmax(-1)
    chosen = logprobs.gather(-1, ids[:, 1:, None])[:, :, 0]
    return [
        float(row[len(h) - 1 : len(h) - 1 + len(c)].sum())
        for row, h, (_, c) in zip(chosen, heads, rows, strict=True)
    ]

"""Answers of equal length, with and without grammar, beside ``transformers.generate`` alone."""

from __future__ import annotations

from statistics import median
from typing import Any

import torch

from bench.common import Table
from bench.fm.models import ARM, LETTERS, PROMPTS, TOKENS, Models, write
from bench.fm.pair import Call, in_ms, spread
from bench.fm.record import Record
from fmrl_robot.planners import plan_language


def generation(models: Models, record: Record) -> Table:
    """One prompt, once and eight times at once."""
    table = Table("Generation", ("", "tokens", "ours, ms", "raw, ms", "ours of raw"))
    for name, model in models.all().items():
        prompt = ARM if name == "embedded" else PROMPTS[0]
        grammar = plan_language.GRAMMAR if name == "embedded" else LETTERS
        for held in (None, grammar):
            for n in (1, 8):
                _measure(table, record, name, model, prompt, held, n)
    return table


def _measure(
    table: Table, record: Record, name: str, model: Any, prompt: str, grammar: str | None, n: int
) -> None:
    sampled = {"temperature": 0.01} if n > 1 else {}
    asked = {"n": n, "max_tokens": TOKENS + 2, **sampled}
    if grammar is None and name != "embedded":
        # A random model does not end by itself: the sentence ends where the raw one is cut.
        asked["max_tokens"] = TOKENS
    count = 0

    def ours() -> None:
        nonlocal count
        wrote = write(model, prompt, grammar, **asked)
        texts = [sample.text for sample in wrote]
        count = max(len(sample.ids) for sample in wrote)
        assert len(texts) == n

    ours()
    kind = "with grammar" if grammar else "free"
    pair = record.pair(f"{name}, {kind}, n={n}", ours, _raw(model, prompt, n, count))
    if grammar:
        record.under_bar("grammar", median(pair.ratios))
    table.add(
        f"{name}, {kind}, {n} at once", str(count * n), in_ms(pair.ours), in_ms(pair.raw),
        spread(pair.ratios),
    )  # fmt: skip


def _raw(model: Any, prompt: str, n: int, count: int) -> Call:
    """The library's own call for ``n`` answers of ``count`` tokens."""
    options = {"do_sample": n > 1, "num_return_sequences": n, "max_new_tokens": count}
    if n > 1:
        options |= {"temperature": 0.01, "top_k": 0, "top_p": 1.0}

    def raw() -> None:
        with torch.inference_mode():
            inputs = _raw_inputs(model, prompt)
            prefix = inputs.get("decoder_input_ids", inputs["input_ids"]).shape[1]
            output = model.module.generate(**inputs, **options)
            model.tokenizer.batch_decode(output[:, prefix:], skip_special_tokens=True)
            assert output.shape[1] - prefix == count, "the raw call wrote fewer tokens"

    return raw


def _raw_inputs(model: Any, prompt: str) -> dict[str, torch.Tensor]:
    """Tokens as the library alone would be given them."""
    device, loaded = model.module.device, model._loaded
    if not loaded.seq2seq:
        return dict(model.tokenizer(prompt, return_tensors="pt").to(device))
    inputs = dict(loaded.encoder_tokenizer(prompt, return_tensors="pt").to(device))
    inputs.pop("token_type_ids", None)
    head = [loaded.start_id, *model.tokenizer.encode(prompt, add_special_tokens=False)]
    return inputs | {"decoder_input_ids": torch.tensor([head], device=device)}

"""Several continuations of one prompt: its keys and values are computed once for all of them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fmrl_robot.fm.transformers_lm import passes
from fmrl_robot.fm.transformers_lm.batches import (
    MAX_TOKENS,
    chosen_logprobs,
    chunks,
    padded,
    token_limit,
)
from fmrl_robot.fm.transformers_lm.loaded import Loaded

if TYPE_CHECKING:
    import torch

    from fmrl_robot.fm.transformers_lm.prompts import Prompt
    from fmrl_robot.fm.transformers_lm.scoring import Row


def shared_prompts(loaded: Loaded, rows: list[Row]) -> Iterator[tuple[list[Row], torch.Tensor]]:
    """Yield rows with the log-probabilities of their continuations (rows, tokens)."""
    prompts = {row.place[0]: row.prompt for row in rows}
    # Pictures come in as many shapes as there are models: such prompts go one by one.
    alone = [[i] for i, prompt in prompts.items() if prompt.pictures]
    together = [i for i, prompt in prompts.items() if not prompt.pictures]
    for numbers in [*alone, *chunks(together, lambda i: len(prompts[i].ids), MAX_TOKENS)]:
        members = [row for row in rows if row.place[0] in numbers]
        yield from _continued(loaded, {i: prompts[i] for i in numbers}, members)


def _continued(
    loaded: Loaded, prompts: dict[int, Prompt], rows: list[Row]
) -> Iterator[tuple[list[Row], torch.Tensor]]:
    import torch

    # Padded on the left, so that every prompt ends where its continuations begin.
    ids, mask = padded([p.ids for p in prompts.values()], loaded.pad_id, loaded.device, left=True)
    pictures = next(iter(prompts.values())).pictures
    read = passes.causal(loaded, ids, mask, keep=1, use_cache=True, pictures=pictures)
    place = {number: row for row, number in enumerate(prompts)}
    limit = token_limit(loaded.vocabulary)
    for group in chunks(rows, lambda row: ids.shape[1] + len(row.ids), limit):
        of = torch.tensor([place[row.place[0]] for row in group], device=ids.device)
        tails, tail_mask = padded([row.ids for row in group], loaded.pad_id, ids.device)
        logits = read.logits[of, -1:]
        if tails.shape[1] > 1:
            seen = torch.cat([mask[of], tail_mask[:, :-1]], dim=1)
            later = passes.causal(
                loaded, tails[:, :-1], None if pictures else seen, keep=tails.shape[1] - 1,
                use_cache=True, past_key_values=_chosen(read.past_key_values, of),
            )  # fmt: skip
            logits = torch.cat([logits, later.logits], dim=1)
        yield group, chosen_logprobs(logits, tails)


def _chosen(cache: Any, rows: torch.Tensor) -> Any:
    """A cache of these rows; it shares tensors with ``cache``, for none is ever written to."""
    chosen = copy.copy(cache)
    chosen.layers = [copy.copy(layer) for layer in cache.layers]
    chosen.batch_select_indices(rows)
    return chosen

"""Log-probabilities of given continuations, in as few forward passes as memory allows.

Neither batch nor padding changes a figure: rows are padded where causal attention cannot see it, or
masked with positions that do not count the padding.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fmrl_robot.fm.transformers_lm import passes
from fmrl_robot.fm.transformers_lm.batches import chosen_logprobs, chunks, padded, token_limit
from fmrl_robot.fm.transformers_lm.loaded import Loaded
from fmrl_robot.fm.transformers_lm.prefix_tree import (
    PrefixTree,
    prefix_tree,
    reads_trees,
    run_trees,
)
from fmrl_robot.fm.transformers_lm.prompts import Prompt
from fmrl_robot.fm.transformers_lm.shared_prompt import shared_prompts

if TYPE_CHECKING:
    import torch

Logprobs = tuple[float, ...]
TREE_TOKENS = 512
"""Of the beginnings of one prompt's continuations, the most that go into one row: a row's attention
grows with the square of its tokens, behind cached prompts it does not."""


@dataclass(frozen=True, slots=True)
class Row:
    """One continuation of one prompt."""

    place: tuple[int, int]
    """Where its figures belong: number of the prompt, number of the continuation."""
    prompt: Prompt
    ids: tuple[int, ...]

    @property
    def length(self) -> int:
        """Tokens that one row of prompt and continuation has, on both sides."""
        return len(self.prompt.encoder_ids) + len(self.prompt.ids) + len(self.ids)


def score(
    loaded: Loaded, prompts: Sequence[Prompt], continuations: Sequence[Sequence[Sequence[int]]]
) -> list[list[Logprobs]]:
    """Return the log-probabilities of the tokens of each continuation of each prompt.

    Raises:
        Terminal: a prompt with a continuation exceeds what the model can read.
    """
    import torch

    rows = [
        Row((i, j), prompt, tuple(ids))
        for i, (prompt, several) in enumerate(zip(prompts, continuations, strict=True))
        for j, ids in enumerate(several)
    ]
    for row in rows:
        loaded.check_length(len(row.prompt.encoder_ids), len(row.prompt.ids) + len(row.ids))
    found: dict[tuple[int, int], Logprobs] = {}
    with torch.inference_mode():
        for group, logprobs in _passes(loaded, [row for row in rows if row.ids]):
            for row, figures in zip(group, logprobs.tolist(), strict=True):
                found[row.place] = tuple(figures[: len(row.ids)])
    return [
        [found.get((i, j), ()) for j in range(len(several))]
        for i, several in enumerate(continuations)
    ]


def _passes(loaded: Loaded, rows: list[Row]) -> Iterator[tuple[list[Row], torch.Tensor]]:
    """Choose the cheapest way; yield rows with their log-probabilities (rows, tokens)."""
    several = len(rows) > len({row.place[0] for row in rows})
    recurrent = getattr(loaded.model, "_is_stateful", False)
    if loaded.seq2seq:
        yield from _decoded(loaded, rows)
    elif several and not recurrent:
        large = yield from _in_trees(loaded, rows)
        yield from shared_prompts(loaded, large)
    else:
        yield from _whole(loaded, rows)


def _in_trees(
    loaded: Loaded, rows: list[Row]
) -> Generator[tuple[list[Row], torch.Tensor], None, list[Row]]:
    """Every prompt and the beginnings of its continuations in one row; return what is left over."""
    of: dict[int, list[Row]] = {}
    for row in rows:
        of.setdefault(row.place[0], []).append(row)
    if any(row.prompt.pictures for row in rows) or not reads_trees(loaded):
        return rows
    trees = {i: prefix_tree([row.ids for row in several]) for i, several in of.items()}
    large = {i for i, tree in trees.items() if len(tree.tokens) > TREE_TOKENS}

    def length(number: int) -> int:
        return len(of[number][0].prompt.ids) + len(trees[number].tokens)

    limit = token_limit(loaded.vocabulary)
    for group in chunks([i for i in of if i not in large], length, limit):
        grown = [trees[i] for i in group]
        read = run_trees(loaded, [of[i][0].prompt for i in group], grown)
        states = 1 + max(len(tree.tokens) for tree in grown)
        logits = read.logits[:, -states:].float()
        normaliser = logits.logsumexp(dim=-1)
        for k, i in enumerate(group):
            yield of[i], _at_states(logits[k], normaliser[k], of[i], trees[i])
    return [row for row in rows if row.place[0] in large]


def _at_states(
    logits: torch.Tensor, normaliser: torch.Tensor, rows: list[Row], tree: PrefixTree
) -> torch.Tensor:
    """Log-probabilities (rows, tokens) from a tree's logits (states, vocabulary)."""
    ids, _ = padded([row.ids for row in rows], 0, logits.device)
    at, _ = padded(tree.states, 0, logits.device)
    return logits[at, ids] - normaliser[at]


def _whole(loaded: Loaded, rows: list[Row]) -> Iterator[tuple[list[Row], torch.Tensor]]:
    """Prompt and continuation in one row, padded on the right."""
    limit = token_limit(loaded.vocabulary)
    # Pictures come in as many shapes as there are models: such prompts go one by one.
    alone = [[row] for row in rows if row.prompt.pictures]
    together = [row for row in rows if not row.prompt.pictures]
    for group in [*alone, *chunks(together, lambda row: row.length, limit)]:
        ids, mask = padded([r.prompt.ids + r.ids for r in group], loaded.pad_id, loaded.device)
        starts = [len(r.prompt.ids) for r in group]
        first = min(starts)
        read = passes.causal(
            loaded, ids, mask, keep=ids.shape[1] - first + 1, use_cache=False,
            pictures=group[0].prompt.pictures,
        )  # fmt: skip
        yield group, _picked(read.logits[:, :-1], ids[:, first:], [s - first for s in starts])


def _decoded(loaded: Loaded, rows: list[Row]) -> Iterator[tuple[list[Row], torch.Tensor]]:
    """Every prompt goes through the encoder once, its continuations through the decoder."""
    prompts = {row.place[0]: row.prompt for row in rows}
    states = passes.encoded(loaded, [p.encoder_ids for p in prompts.values()])
    memory = dict(zip(prompts, states, strict=True))
    limit = token_limit(loaded.vocabulary)
    for group in chunks(rows, lambda row: row.length, limit):
        ids, _ = padded([r.prompt.ids + r.ids for r in group], loaded.pad_id, loaded.device)
        read = passes.decoded(loaded, [memory[r.place[0]] for r in group], ids[:, :-1])
        yield group, _picked(read.logits, ids[:, 1:], [len(r.prompt.ids) - 1 for r in group])


def _picked(logits: torch.Tensor, ids: torch.Tensor, starts: list[int]) -> torch.Tensor:
    """Log-probabilities of ``ids`` (rows, tokens), each row from its start on."""
    import torch

    logprobs = chosen_logprobs(logits[:, -ids.shape[1] :], ids)
    return torch.stack([row.roll(-start) for row, start in zip(logprobs, starts, strict=True)])

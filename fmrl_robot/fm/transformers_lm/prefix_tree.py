"""Continuations of one prompt as a tree of their beginnings, computed in one row behind the prompt.

What several continuations begin with stands there once. A token sees the prompt and the tokens on
its way, and knows its place by an explicit number, so that every figure is that of its continuation
alone. Last tokens are not run: nothing is expected after them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fmrl_robot.fm.transformers_lm.loaded import Loaded
from fmrl_robot.fm.transformers_lm.prompts import Prompt

if TYPE_CHECKING:
    from fmrl_robot.types import BoolArray

PROBE = ((5, 6, 7, 8), ((9, 10, 11), (9, 10, 12, 13), (14, 15)))
"""A prompt and continuations, of token numbers that every vocabulary has, to try a model with."""
PROBE_TOLERANCE = {"float32": 1e-3, "float64": 1e-3}
"""Of log-probabilities; where a mask or places are ignored they differ by tenths."""
HALF_TOLERANCE = 0.1
"""In half precision, where the same figures come out like that."""


@dataclass(frozen=True, slots=True)
class PrefixTree:
    """Beginnings of continuations; state 0 is the prompt's end, state i + 1 that after token i."""

    tokens: tuple[int, ...]
    """Those that are run, parents first."""
    depths: tuple[int, ...]
    """Places of these tokens behind the prompt, from 0."""
    seen: BoolArray
    """Which of them a token sees, itself included, (tokens, tokens)."""
    states: tuple[tuple[int, ...], ...]
    """Of each continuation, the state at which each of its tokens is expected."""


def prefix_tree(continuations: Sequence[Sequence[int]]) -> PrefixTree:
    """Lay continuations (token ids, also empty or equal ones) into one tree."""
    children: dict[tuple[int, int], int] = {}
    tokens: list[int] = []
    parents: list[int] = []
    states: list[tuple[int, ...]] = []
    for ids in continuations:
        way = [0] if ids else []
        for token in ids[:-1]:
            step = (way[-1], token)
            if step not in children:
                parents.append(way[-1] - 1)
                tokens.append(token)
                children[step] = len(tokens)
            way.append(children[step])
        states.append(tuple(way))
    seen = np.eye(len(tokens), dtype=bool)
    for i, parent in enumerate(parents):
        if parent >= 0:
            seen[i] |= seen[parent]
    depths = tuple(int(d) for d in seen.sum(axis=1) - 1)
    return PrefixTree(tuple(tokens), depths, seen, tuple(states))


def run_trees(
    loaded: Loaded, prompts: Sequence[Prompt], trees: Sequence[PrefixTree], **more: Any
) -> Any:
    """Run prompts, each with its tree, in one pass.

    Returns:
        What the model returns; the last ``states`` columns of its logits and hidden states are the
        states of the trees, those of shorter ones padded behind. Columns before are to be ignored.
    """
    import torch

    width = max(len(p.ids) for p in prompts)
    length = width + max(len(t.tokens) for t in trees)
    ids = np.full((len(trees), length), loaded.pad_id)
    places = np.zeros((len(trees), length), dtype=np.int64)
    # Padding sees itself, for a softmax over nothing is no number.
    seen = np.repeat(np.eye(length, dtype=bool)[None], len(trees), axis=0)
    for i, (prompt, tree) in enumerate(zip(prompts, trees, strict=True)):
        # On the left of the prompt, so that all trees begin in one column.
        start, end = width - len(prompt.ids), width + len(tree.tokens)
        ids[i, start:end] = (*prompt.ids, *tree.tokens)
        places[i, start:width] = np.arange(len(prompt.ids))
        places[i, width:end] = len(prompt.ids) + np.array(tree.depths, dtype=np.int64)
        seen[i, start:width, start:width] = np.tri(len(prompt.ids), dtype=bool)
        seen[i, width:end, start:width] = True
        seen[i, width:end, width:end] = tree.seen
    device, dtype = loaded.device, loaded.model.dtype
    # Added to the scores of attention: that is what every implementation of it understands.
    mask = torch.zeros(seen.shape, dtype=dtype)
    mask.masked_fill_(torch.from_numpy(~seen), torch.finfo(dtype).min)
    if loaded.takes("logits_to_keep"):
        more["logits_to_keep"] = length - width + 1
    return loaded.model(
        input_ids=torch.from_numpy(ids).to(device),
        attention_mask=mask[:, None].to(device),
        position_ids=torch.from_numpy(places).to(device),
        use_cache=False,
        **more,
    )


def reads_trees(loaded: Loaded) -> bool:
    """Whether a model computes continuations in a tree as it does alone; tried once a model."""
    if loaded.reads_trees is None:
        loaded.reads_trees = _may_read(loaded) and _agrees(loaded)
    return loaded.reads_trees


def _may_read(loaded: Loaded) -> bool:
    """Whether masks of our own and places are understood, as far as the config tells.

    A window that slides, however wide, lets a token see by its column, and a memory by its order.
    """
    config = loaded.model.config.get_text_config(decoder=True)
    kinds = set(getattr(config, "layer_types", None) or ("full_attention",))
    attention = getattr(config, "_attn_implementation", "eager")
    return (
        not loaded.seq2seq
        and not getattr(loaded.model, "_is_stateful", False)
        and loaded.takes("position_ids")
        and kinds == {"full_attention"}
        and getattr(config, "sliding_window", None) is None
        and attention in ("eager", "sdpa")
        and loaded.vocabulary > max(map(max, PROBE[1]))
    )


def _agrees(loaded: Loaded) -> bool:
    """Whether a small tree gives what its continuations alone give."""
    import torch

    prompt, continuations = PROBE
    tree = prefix_tree(continuations)
    model, training = loaded.model, loaded.model.training
    model.eval()
    try:
        with torch.no_grad():
            logits = run_trees(loaded, [Prompt(ids=prompt)], [tree]).logits[0]
            mine = logits[-len(tree.tokens) - 1 :].float().log_softmax(-1)
            worst = 0.0
            for ids, states in zip(continuations, tree.states, strict=True):
                row = torch.tensor([[*prompt, *ids]], device=loaded.device)
                alone = model(input_ids=row, use_cache=False).logits[0, len(prompt) - 1 : -1]
                off = mine[[*states]] - alone.float().log_softmax(-1)
                worst = max(worst, float(off.abs().max()))
    except (TypeError, ValueError, RuntimeError):
        # It wants its masks or places in another form; there is another way for such models.
        return False
    finally:
        model.train(training)
    dtype = str(model.dtype).removeprefix("torch.")
    return worst <= PROBE_TOLERANCE.get(dtype, HALF_TOLERANCE)

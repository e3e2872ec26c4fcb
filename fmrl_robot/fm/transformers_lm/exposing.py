"""The inside of a model with gradients: logits, hidden states, inputs that need not be words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fmrl_robot.fm.exposed import Choices, Exposed
from fmrl_robot.fm.transformers_lm import passes
from fmrl_robot.fm.transformers_lm.batches import padded, positions
from fmrl_robot.fm.transformers_lm.loaded import Loaded
from fmrl_robot.fm.transformers_lm.prefix_tree import prefix_tree, reads_trees, run_trees
from fmrl_robot.fm.transformers_lm.prompts import Prompt

if TYPE_CHECKING:
    import torch


def forward(
    loaded: Loaded, prompts: Sequence[Prompt], continuations: Sequence[Sequence[int]]
) -> Exposed:
    """Run prompts with their continuations through the model; see Exposes.

    Raises:
        Terminal: a row exceeds what the model can read.
        ValueError: there are no rows.
    """
    if not prompts:
        raise ValueError("expected at least one row, got none")
    for prompt, ids in zip(prompts, continuations, strict=True):
        loaded.check_length(len(prompt.encoder_ids), len(prompt.ids) + len(ids))
    if any(prompt.pictures for prompt in prompts):
        # Pictures come in as many shapes as there are models: rows go one by one.
        parts = [_forward(loaded, [p], [c]) for p, c in zip(prompts, continuations, strict=True)]
        logits, hidden = _joined([p[0] for p in parts]), _joined([p[1] for p in parts])
    else:
        logits, hidden = _forward(loaded, prompts, continuations)
    ids, mask = padded(continuations, loaded.pad_id, loaded.device)
    # In half precision log-probabilities would be off in their second digit.
    return Exposed(ids=ids, mask=mask, logits=logits.float(), hidden=hidden.float())


def forward_choices(
    loaded: Loaded,
    prompts: Sequence[Prompt],
    continuations: Sequence[Sequence[Sequence[int]]],
) -> Choices:
    """Run prompts, each with its continuations, through the model; see Exposes.

    Raises:
        Terminal: a prompt with a continuation exceeds what the model can read.
        ValueError: there are no prompts, or one has no continuations.
    """
    if not prompts or not all(continuations):
        raise ValueError("expected prompts with at least one continuation each, got none")
    for prompt, several in zip(prompts, continuations, strict=True):
        longest = max(map(len, several))
        loaded.check_length(len(prompt.encoder_ids), len(prompt.ids) + longest)
    if any(prompt.pictures for prompt in prompts) or not reads_trees(loaded):
        return _repeated(loaded, prompts, continuations)
    trees = [prefix_tree(several) for several in continuations]
    read = run_trees(loaded, prompts, trees, output_hidden_states=True)
    states = 1 + max(len(tree.tokens) for tree in trees)
    return _choices(
        loaded, continuations, [tree.states for tree in trees],
        read.logits[:, -states:].float(), read.hidden_states[-1][:, -states:].float(),
    )  # fmt: skip


def _repeated(
    loaded: Loaded,
    prompts: Sequence[Prompt],
    continuations: Sequence[Sequence[Sequence[int]]],
) -> Choices:
    """The same for a model that reads no trees: a row for each continuation, prompt and all."""
    import torch

    rows = [(p, c) for p, several in zip(prompts, continuations, strict=True) for c in several]
    shown = forward(loaded, [p for p, _ in rows], [c for _, c in rows])
    width = shown.hidden.shape[1]
    # Logits after the last token are of no use; they are laid out as wide as the states.
    logits = torch.nn.functional.pad(shown.logits, (0, 0, 0, width - shown.logits.shape[1]))
    sizes = [len(several) for several in continuations]
    logits, hidden = (
        torch.nn.utils.rnn.pad_sequence(
            [part.flatten(0, 1) for part in states.split(sizes)], batch_first=True
        )
        for states in (logits, shown.hidden)
    )
    places = [
        [range(i * width, i * width + len(c)) for i, c in enumerate(s)] for s in continuations
    ]
    return _choices(loaded, continuations, places, logits, hidden)


def _choices(
    loaded: Loaded,
    continuations: Sequence[Sequence[Sequence[int]]],
    places: Sequence[Sequence[Sequence[int]]],
    logits: torch.Tensor,
    hidden: torch.Tensor,
) -> Choices:
    import torch

    shape = (
        len(continuations),
        max(map(len, continuations)),
        max(len(ids) for several in continuations for ids in several),
    )
    ids, at = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    mask = torch.zeros(shape, dtype=torch.bool)
    for i, (several, states) in enumerate(zip(continuations, places, strict=True)):
        for j, (tokens, own) in enumerate(zip(several, states, strict=True)):
            ids[i, j, : len(tokens)] = torch.tensor([*tokens], dtype=torch.long)
            at[i, j, : len(tokens)] = torch.tensor([*own], dtype=torch.long)
            mask[i, j, : len(tokens)] = True
    device = loaded.device
    return Choices(
        ids=ids.to(device), mask=mask.to(device), places=at.to(device), logits=logits, hidden=hidden
    )


def embed_tokens(loaded: Loaded, ids: torch.Tensor) -> torch.Tensor:
    """Input embeddings (rows, tokens, dim)."""
    return loaded.model.get_input_embeddings()(ids.to(loaded.device))


def forward_embeddings(
    loaded: Loaded, embeddings: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Last hidden states (rows, tokens, dim) in float32; of the encoder where there is one."""
    side = loaded.model.get_encoder() if loaded.seq2seq else loaded.model.get_decoder()
    mask = mask.to(loaded.device)
    more: dict[str, Any] = {}
    if not loaded.seq2seq:
        more["use_cache"] = False
        if loaded.takes("position_ids"):
            more["position_ids"] = positions(mask)
    inputs = embeddings.to(loaded.device, loaded.model.dtype)
    states = side(inputs_embeds=inputs, attention_mask=mask.long(), **more).last_hidden_state
    return states.float()


def _forward(
    loaded: Loaded, prompts: Sequence[Prompt], continuations: Sequence[Sequence[int]]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (rows, tokens, vocabulary) and hidden states (rows, tokens + 1, dim)."""
    import torch

    rows = [(*p.ids, *c) for p, c in zip(prompts, continuations, strict=True)]
    ids, mask = padded(rows, loaded.pad_id, loaded.device)
    starts = torch.tensor([len(p.ids) - 1 for p in prompts], device=loaded.device)
    first = int(starts.min())
    if loaded.seq2seq:
        memory = passes.encoded(loaded, [p.encoder_ids for p in prompts], at_once=True)
        read = passes.decoded(loaded, memory, ids, output_hidden_states=True)
        hidden = read.decoder_hidden_states[-1]
    else:
        read = passes.causal(
            loaded, ids, mask, keep=ids.shape[1] - first, use_cache=False,
            output_hidden_states=True, pictures=prompts[0].pictures,
        )  # fmt: skip
        hidden = read.hidden_states[-1]
    width = max(map(len, continuations)) + 1
    places = starts[:, None] + torch.arange(width, device=loaded.device)
    hidden = _at(hidden, places.clamp(max=ids.shape[1] - 1))
    # Logits may begin later than the row: the model was asked for the last ones only.
    skipped = ids.shape[1] - read.logits.shape[1]
    places = (places[:, :-1] - skipped).clamp(max=read.logits.shape[1] - 1)
    return _at(read.logits, places), hidden


def _at(states: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Pick along the second axis: (rows, tokens, dim) at (rows, picked)."""
    return states.gather(1, places[:, :, None].expand(-1, -1, states.shape[-1]))


def _joined(parts: list[torch.Tensor]) -> torch.Tensor:
    """Stack parts (1, tokens, dim) of different lengths, padded with zeros behind."""
    import torch

    return torch.nn.utils.rnn.pad_sequence([part[0] for part in parts], batch_first=True)

"""Forward passes over padded rows: of a causal model, of an encoder, of a decoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fmrl_robot.fm.transformers_lm.batches import MAX_TOKENS, chunks, padded, positions
from fmrl_robot.fm.transformers_lm.loaded import Loaded

if TYPE_CHECKING:
    import torch


def causal(
    loaded: Loaded, ids: torch.Tensor, mask: torch.Tensor | None, *, keep: int,
    pictures: Mapping[str, Any] | None = None, **more: Any,
) -> Any:  # fmt: skip
    """Run a model of one side.

    Args:
        loaded: the model.
        ids: (rows, tokens).
        mask: bool (rows, tokens) or, behind a cache, (rows, cached + tokens); None where no row is
            padded but on the right.
        keep: of how many last tokens logits are wanted, where the model can leave out the rest.
        pictures: tensors of the pictures of a single row.
        more: for the model as they are.
    """
    if loaded.takes("logits_to_keep"):
        more["logits_to_keep"] = keep
    # Among pictures, and behind them, a model may count in several dimensions: it does so itself.
    if mask is not None and not pictures and loaded.takes("position_ids"):
        more["position_ids"] = positions(mask)[:, -ids.shape[1] :]
    if mask is not None:
        more["attention_mask"] = mask.long()
    return loaded.model(input_ids=ids, **_fitted(loaded, pictures or {}, ids.shape[1]), **more)


def _fitted(loaded: Loaded, pictures: Mapping[str, Any], width: int) -> dict[str, Any]:
    """Tensors of pictures for a row longer than their prompt: what follows is text, of kind 0."""
    from torch.nn.functional import pad

    return {
        name: pad(value, (0, width - value.shape[1])) if name.endswith("token_type_ids") else value
        for name, value in loaded.to_device(pictures).items()
    }


def encoded(
    loaded: Loaded, rows: Sequence[Sequence[int]], *, at_once: bool = False
) -> list[torch.Tensor]:
    """Return the encoder's states (tokens, dim) of rows of ids.

    Args:
        loaded: the model.
        rows: token ids.
        at_once: in one pass, however long it is, because gradients keep its memory anyhow.
    """
    found: dict[int, torch.Tensor] = {}
    numbers = range(len(rows))
    groups = [list(numbers)] if at_once else chunks(numbers, lambda i: len(rows[i]), MAX_TOKENS)
    for group in groups:
        ids, mask = padded([rows[i] for i in group], loaded.pad_id, loaded.device)
        states = loaded.model.get_encoder()(input_ids=ids, attention_mask=mask.long())
        for i, state in zip(group, states.last_hidden_state, strict=True):
            found[i] = state[: len(rows[i])]
    return [found[i] for i in numbers]


def decoded(loaded: Loaded, memory: Sequence[torch.Tensor], ids: torch.Tensor, **more: Any) -> Any:
    """Run the decoder over ids (rows, tokens), each row with the encoder's states of its prompt."""
    import torch
    from transformers.modeling_outputs import BaseModelOutput

    states = torch.nn.utils.rnn.pad_sequence(list(memory), batch_first=True)
    lengths = torch.tensor([len(m) for m in memory], device=states.device)
    mask = torch.arange(states.shape[1], device=states.device) < lengths[:, None]
    return loaded.model(
        encoder_outputs=BaseModelOutput(last_hidden_state=states),
        attention_mask=mask.long(),
        decoder_input_ids=ids,
        use_cache=False,
        **more,
    )

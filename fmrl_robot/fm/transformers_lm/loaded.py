"""A model with its tokenizers, and the few facts about it that the other parts ask for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from fmrl_robot.errors import ErrorCode, Terminal
from fmrl_robot.fm.taught import Taught

if TYPE_CHECKING:
    import torch


@cache
def _arguments(model: type[Any]) -> frozenset[str]:
    return frozenset(inspect.signature(model.forward).parameters)


@dataclass(kw_only=True, slots=True)
class Loaded:
    """What was read from a folder or the hub."""

    model: Any
    """The torch module that answers; tuning swaps it while the untouched model is asked."""
    tokenizer: Any
    """Of what the model writes."""
    model_id: str
    encoder_tokenizer: Any = None
    """Of what an encoder reads, where that is another one."""
    processor: Any = None
    """Turns pictures and text into inputs; None for a model that reads text only."""
    taught: Taught | None = None
    """The language that its card names; None: any."""
    compiled: bool = False
    """Whether steps of generation are to be compiled."""
    reads_trees: bool | None = None
    """Whether it computes continuations in a tree (prefix_tree.py); None: not tried yet."""
    end_ids: tuple[int, ...] = field(init=False)
    """Tokens that end an answer."""
    pad_id: int = field(init=False)

    def __post_init__(self) -> None:
        self.model.eval().requires_grad_(False)
        settings = self.model.generation_config
        ends = settings.eos_token_id
        listed = ends if isinstance(ends, list) else [ends]
        known = [*listed, self.tokenizer.eos_token_id]
        self.end_ids = tuple(dict.fromkeys(int(i) for i in known if i is not None))
        pads = (self.tokenizer.pad_token_id, settings.pad_token_id, *self.end_ids, 0)
        self.pad_id = next(int(i) for i in pads if i is not None)
        self._forget_suggestions()

    def _forget_suggestions(self) -> None:
        """Keep of the folder's generation settings the marks alone.

        What it suggests besides (sampling, penalties, beams) would silently bend what was asked.
        """
        from transformers import GenerationConfig

        settings = self.model.generation_config
        self.model.generation_config = GenerationConfig(
            bos_token_id=settings.bos_token_id,
            eos_token_id=list(self.end_ids) or None,
            pad_token_id=self.pad_id,
            decoder_start_token_id=self.start_id,
        )

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.model.device

    @property
    def seq2seq(self) -> bool:
        """Whether an encoder reads and a decoder writes."""
        return bool(getattr(self.model.config, "is_encoder_decoder", False))

    @property
    def prompt_in_decoder(self) -> bool:
        """Whether the decoder reads the prompt too."""
        return bool(getattr(self.model.config, "prompt_in_decoder", False))

    @property
    def short_prompts(self) -> bool:
        """Whether it was trained on this project's own short prompts."""
        return bool(getattr(self.model.config, "short_prompts", self.prompt_in_decoder))

    @property
    def frozen(self) -> str:
        """Beginning of the names of weights that no training may touch; empty for none."""
        return "encoder." if getattr(self.model.config, "frozen_encoder", None) else ""

    @property
    def start_id(self) -> int | None:
        """The decoder's first token, None for a model without an encoder."""
        if not self.seq2seq:
            return None
        places = (self.model.generation_config, self.model.config, self.tokenizer)
        names = ("decoder_start_token_id", "decoder_start_token_id", "bos_token_id")
        found = (getattr(p, n, None) for p, n in zip(places, names, strict=True))
        return next((int(i) for i in found if i is not None), self.pad_id)

    @property
    def sees_images(self) -> bool:
        """Whether prompts may come with pictures."""
        return self.processor is not None and not self.seq2seq

    @property
    def picture_id(self) -> int | None:
        """The token in whose place a picture is read; None for a model that reads text only."""
        return getattr(self.model.config, "image_token_id", None)

    @property
    def vocabulary(self) -> int:
        """Width of the output layer, which may be padded beyond the tokenizer's words."""
        return int(self.model.get_output_embeddings().weight.shape[0])

    def takes(self, argument: str) -> bool:
        """Whether the model's forward pass knows an argument."""
        return argument in _arguments(type(self.model))

    def to_device(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """Tensors where the model computes, and in its precision where they are no integers."""
        import torch

        def moved(value: Any) -> Any:
            if not isinstance(value, torch.Tensor):
                return value
            dtype = self.model.dtype if value.is_floating_point() else value.dtype
            return value.to(self.device, dtype)

        return {name: moved(value) for name, value in tensors.items()}

    def check_length(self, encoder_tokens: int, tokens: int) -> None:
        """Refuse what the model cannot read.

        Args:
            encoder_tokens: read by the encoder; 0 for a model without one.
            tokens: read and written by the decoder, or by the model that has but one side.

        Raises:
            Terminal: it is longer than the model's context.
        """
        config = self.model.config
        sides = [(config.get_text_config(decoder=True), tokens)]
        if self.seq2seq:
            sides = [
                (getattr(config, "encoder", config), encoder_tokens),
                (getattr(config, "decoder", config), tokens),
            ]
        for side, wanted in sides:
            limit = getattr(side, "max_position_embeddings", None)
            if limit is not None and wanted > limit:
                raise Terminal(
                    f"expected at most {limit} tokens with the answer, got {wanted}; shorten the "
                    "instruction or choose a model with a longer context",
                    ErrorCode.INSTRUCTION_TOO_LONG,
                )

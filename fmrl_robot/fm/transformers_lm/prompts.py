"""Prompts as a model reads them: chat template, pictures, both sides of an encoder-decoder.

Prompts and continuations are data: what looks like a control token in them is read as plain text
(or, before a processor of pictures, left out), so that an instruction cannot end its own turn and
begin the system's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fmrl_robot.errors import ConfigError
from fmrl_robot.fm.capabilities import reads_text_only
from fmrl_robot.fm.image_batch import check_images
from fmrl_robot.fm.transformers_lm.loaded import Loaded

if TYPE_CHECKING:
    from fmrl_robot.types import Image


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """What a model has read before the first token of its answer."""

    ids: tuple[int, ...]
    """Tokens on the side that writes; for an encoder-decoder at least its start mark."""
    encoder_ids: tuple[int, ...] = ()
    """Tokens that an encoder reads."""
    pictures: dict[str, Any] = field(default_factory=dict[str, Any])
    """Tensors of the pictures, by the names that the model's forward pass knows."""

    @property
    def tokens(self) -> int:
        """How many tokens the question has."""
        return len(self.encoder_ids or self.ids)


class PromptReader:
    """Turns texts (with pictures) or token ids into prompts."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._tokenizer = loaded.tokenizer
        self._encoder_tokenizer = loaded.encoder_tokenizer or loaded.tokenizer

    def read(self, text: str, images: Sequence[Image] = ()) -> Prompt:
        """Read a prompt.

        Args:
            text: as plain text.
            images: RGB uint8 (height, width, 3) that it is about.

        Raises:
            ConfigError: there are images and the model sees none.
            ConfigError: an image has another type or shape.
        """
        if images:
            return self._with_pictures(text, images)
        return self._prompt(self.encode_prompt(text), text)

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, without special tokens."""
        return self._tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)

    def encode_prompt(self, text: str) -> list[int]:
        """Token ids of a text as a prompt: in the chat template, or with its special tokens.

        An empty prompt is the begin or end mark, for something has to be read before the first
        token can be expected.
        """
        if self._loaded.prompt_in_decoder:
            return self.encode(text)
        if self._is_chat:
            return _row(self._chat(text))
        ids = self._encoder_tokenizer(text, split_special_tokens=True)["input_ids"]
        return list(ids) or [self._begin]

    def from_ids(self, ids: Sequence[int]) -> Prompt:
        """Turn the ids of ``encode_prompt`` back into the prompt.

        Raises:
            ConfigError: one of them stands for a picture.
        """
        if self._loaded.picture_id in ids:
            raise ConfigError(
                "expected the ids of a prompt of text, got some with the place of a picture; give "
                "the prompt itself, as read(prompt, images) returned it"
            )
        text = ""
        if self._loaded.prompt_in_decoder:
            text = self._tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        return self._prompt(ids, text)

    def _prompt(self, ids: Sequence[int], text: str) -> Prompt:
        start = self._loaded.start_id
        if start is None:
            return Prompt(ids=tuple(ids))
        if self._loaded.prompt_in_decoder:
            read = self._encoder_tokenizer(text, split_special_tokens=True)["input_ids"]
            return Prompt(ids=(start, *ids), encoder_ids=tuple(read))
        return Prompt(ids=(start,), encoder_ids=tuple(ids))

    @property
    def _begin(self) -> int:
        mark = self._tokenizer.bos_token_id
        return int(next(iter(self._loaded.end_ids), self._loaded.pad_id) if mark is None else mark)

    @property
    def _is_chat(self) -> bool:
        reader = self._loaded.processor or self._tokenizer
        return bool(getattr(reader, "chat_template", None))

    def _chat(self, text: str, pictures: Sequence[Any] = ()) -> dict[str, Any]:
        """Ask as a user; a tokenizer's template wants plain text, a processor's a list of parts."""
        processor = self._loaded.processor
        options = {"add_generation_prompt": True, "tokenize": True, "return_dict": True}
        if processor is None:
            asked = [{"role": "user", "content": text}]
            options["sanitize_control_tokens"] = True
            return dict(self._tokenizer.apply_chat_template(asked, **options))
        parts = [{"type": "image", "image": picture} for picture in pictures]
        parts.append({"type": "text", "text": self._without_control_tokens(text)})
        asked = [{"role": "user", "content": parts}]
        return dict(processor.apply_chat_template(asked, return_tensors="pt", **options))

    def _with_pictures(self, text: str, images: Sequence[Image]) -> Prompt:
        from PIL import Image as PILImage

        if not self._loaded.sees_images:
            raise reads_text_only(self._loaded.model_id)
        check_images(images)
        processor = self._loaded.processor
        pictures = [PILImage.fromarray(image) for image in images]
        if self._is_chat:
            read = self._chat(text, pictures)
        else:
            marked = processor.image_token * len(pictures) + self._without_control_tokens(text)
            read = dict(processor(images=pictures, text=[marked], return_tensors="pt"))
        extra = {k: v for k, v in read.items() if k not in ("input_ids", "attention_mask")}
        return Prompt(ids=tuple(_row(read)), pictures=extra)

    def _without_control_tokens(self, text: str) -> str:
        added = self._tokenizer.added_tokens_decoder.values()
        marks = [token.content for token in added if token.special]
        # Again, for one that is taken out may leave another behind.
        while any(mark in text for mark in marks):
            for mark in marks:
                text = text.replace(mark, "")
        return text


def _row(read: dict[str, Any]) -> list[int]:
    """The token ids of what a tokenizer or a processor read, be it one row or a batch of one."""
    ids = read["input_ids"]
    listed = ids if isinstance(ids, list) else ids.tolist()
    return listed[0] if listed and isinstance(listed[0], list) else listed

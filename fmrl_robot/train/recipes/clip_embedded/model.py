"""The embedded CLIP's shape, its word tokenizer, and the folder that open_clip reads back.

Three sizes of one shape, a ModifiedResNet beside a text transformer: all small enough for 30 Hz
beside a controller.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmrl_robot.fm.open_clip_vision import VOCABULARY
from fmrl_robot.train.recipes.clip_embedded.vocabulary import CONJUNCTION, every_sentence

CONTEXT_LENGTH = 24
"""Tokens a sentence may have, its end mark included."""

_PAD, _UNKNOWN, _END = "[PAD]", "[UNK]", "[END]"


def build_tokenizer() -> Any:
    """Return a lower-casing word tokenizer over the vocabulary's words.

    Words never seen in training become ``[UNK]``, which is how a goal outside the vocabulary can be
    told. The end mark has the highest id, where open_clip's text tower pools.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    splitter = pre_tokenizers.Whitespace()
    words = {CONJUNCTION, ","}
    for sentence in every_sentence():
        words.update(word for word, _ in splitter.pre_tokenize_str(sentence.lower()))
    ordered = [_PAD, _UNKNOWN, *sorted(words), _END]
    ids = {word: i for i, word in enumerate(ordered)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token=_UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = splitter
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {_END}", special_tokens=[(_END, ids[_END])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=_PAD,
        unk_token=_UNKNOWN,
        eos_token=_END,
        model_max_length=CONTEXT_LENGTH,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """How large an embedded CLIP is."""

    vision_width: int
    vision_layers: tuple[int, int, int, int]
    vision_head_width: int
    text_width: int
    text_layers: int
    embed_dim: int


SIZES: dict[str, Shape] = {
    "small": Shape(
        vision_width=8,
        vision_layers=(1, 1, 1, 1),
        vision_head_width=32,
        text_width=64,
        text_layers=2,
        embed_dim=64,
    ),
    "medium": Shape(
        vision_width=14,
        vision_layers=(1, 1, 1, 1),
        vision_head_width=64,
        text_width=96,
        text_layers=2,
        embed_dim=96,
    ),
    "large": Shape(
        vision_width=28,
        vision_layers=(1, 2, 2, 1),
        vision_head_width=64,
        text_width=128,
        text_layers=3,
        embed_dim=128,
    ),
}
"""About 0.4, 1.2 and 5 million numbers. Convolutions, because on a CPU vision transformers of these
sizes with patches of 8 or 16 pixels train at a third of the speed (measured)."""


def model_config(vocabulary_size: int, image_size: int, size: str) -> dict[str, Any]:
    """Return open_clip's ``model_cfg`` of the embedded CLIP."""
    shape = SIZES[size]
    return {
        "embed_dim": shape.embed_dim,
        "init_logit_scale": 2.3,
        "init_logit_bias": 0.0,
        "vision_cfg": {
            "image_size": image_size,
            "layers": list(shape.vision_layers),
            "width": shape.vision_width,
            "head_width": shape.vision_head_width,
        },
        "text_cfg": {
            "context_length": CONTEXT_LENGTH,
            "vocab_size": vocabulary_size,
            "hf_tokenizer_name": "local",
            "width": shape.text_width,
            "heads": shape.text_width // 32,
            "layers": shape.text_layers,
            "pool_type": "argmax",
        },
    }


def preprocess_config(image_size: int) -> dict[str, Any]:
    """Return open_clip's ``preprocess_cfg``: scale to [-1, 1], nothing learnt from data."""
    return {
        "size": image_size,
        "mode": "RGB",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "interpolation": "bicubic",
        "resize_mode": "squash",
    }


def build_model(vocabulary_size: int, image_size: int, size: str = "medium") -> Any:
    """Return a fresh CLIP with the text tower's larger initial values.

    open_clip's defaults (0.02, 0.01) start all sentences nearly equal; with one-word differences
    to tell apart, training then stays flat for a long time (measured).
    """
    import torch
    from open_clip.model import CLIP

    model: Any = CLIP(**model_config(vocabulary_size, image_size, size))
    torch.nn.init.normal_(model.token_embedding.weight, std=0.3)
    torch.nn.init.normal_(model.positional_embedding, std=0.1)
    return model


def save(folder: Path, model: Any, tokenizer: Any, image_size: int, size: str) -> None:
    """Write weights (fp16 safetensors), configuration and tokenizer as open_clip reads them."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    state = {
        name: value.detach().cpu().to(torch.float16 if value.is_floating_point() else value.dtype)
        for name, value in model.state_dict().items()
    }
    save_file({k: v.contiguous() for k, v in state.items()}, folder / "open_clip_model.safetensors")
    config = {
        "model_cfg": model_config(len(tokenizer), image_size, size),
        "preprocess_cfg": preprocess_config(image_size),
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")
    tokenizer.save_pretrained(folder)
    write_vocabulary(folder, {})


def write_vocabulary(folder: Path, calibration: dict[str, tuple[float, float]]) -> None:
    """Write the taught sentences and, by sentence, middle and half width of the doubtful logits."""
    taught = {"sentences": sorted(set(every_sentence())), "calibration": calibration}
    (folder / VOCABULARY).write_text(json.dumps(taught, indent=1) + "\n")

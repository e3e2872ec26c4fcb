"""The embedded CLIP's shape, its word tokenizer, and the folder that open_clip reads back.

A small ModifiedResNet and a three-layer text tower, about two million parameters: large enough for
two scenes, small enough for 10 Hz beside a controller on one core.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fmrl_robot.fm.open_clip_vision import VOCABULARY
from fmrl_robot.train.recipes.clip_embedded.vocabulary import every_sentence

CONTEXT_LENGTH = 16
"""Tokens a sentence may have, its end mark included."""

_PAD, _UNKNOWN, _END = "[PAD]", "[UNK]", "[END]"
_CONJUNCTION = "and"


def build_tokenizer() -> Any:
    """Return a lower-casing word tokenizer over the vocabulary's words.

    Words never seen in training become ``[UNK]``, which is how a goal outside the vocabulary can be
    told. The end mark has the highest id, where open_clip's text tower pools.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    splitter = pre_tokenizers.Whitespace()
    words = {_CONJUNCTION, ","}
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


def model_config(vocabulary_size: int, image_size: int) -> dict[str, Any]:
    """Return open_clip's ``model_cfg`` of the embedded CLIP."""
    return {
        "embed_dim": 128,
        "init_logit_scale": 2.3,
        "init_logit_bias": 0.0,
        "vision_cfg": {
            "image_size": image_size,
            "layers": [1, 2, 2, 1],
            "width": 16,
            "head_width": 64,
        },
        "text_cfg": {
            "context_length": CONTEXT_LENGTH,
            "vocab_size": vocabulary_size,
            "hf_tokenizer_name": "local",
            "width": 128,
            "heads": 4,
            "layers": 3,
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


def build_model(vocabulary_size: int, image_size: int) -> Any:
    """Return a fresh CLIP with the text tower's larger initial values.

    open_clip's defaults (0.02, 0.01) start all sentences nearly equal; with one-word differences
    to tell apart, training then stays flat for a long time (measured).
    """
    import torch
    from open_clip.model import CLIP

    model: Any = CLIP(**model_config(vocabulary_size, image_size))
    torch.nn.init.normal_(model.token_embedding.weight, std=0.3)
    torch.nn.init.normal_(model.positional_embedding, std=0.1)
    return model


def save(folder: Path, model: Any, tokenizer: Any, image_size: int) -> None:
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
        "model_cfg": model_config(len(tokenizer), image_size),
        "preprocess_cfg": preprocess_config(image_size),
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")
    tokenizer.save_pretrained(folder)
    write_vocabulary(folder, {})


def write_vocabulary(folder: Path, calibration: dict[str, tuple[float, float]]) -> None:
    """Write the taught sentences and, by sentence, middle and half width of the doubtful logits."""
    taught = {"sentences": sorted(set(every_sentence())), "calibration": calibration}
    (folder / VOCABULARY).write_text(json.dumps(taught, indent=1) + "\n")

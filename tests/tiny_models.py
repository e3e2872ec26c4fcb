"""Language models of every kind with random weights, small enough to be made on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

IMAGE, CHAT_START, CHAT_END = "<image>", "<|turn|>", "<|end|>"
SENTENCES = ("put the red cube in the bowl", "trot forward slowly, then stand still") * 4
CHAT = (
    "{% for message in messages %}" + CHAT_START + "{{ message['role'] }}: "
    "{{ message['content'] }}" + CHAT_END + "{% endfor %}" + CHAT_START + "assistant: "
)
PICTURE_CHAT = (
    "{% for message in messages %}" + CHAT_START + "{{ message['role'] }}: "
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}" + IMAGE + "{% else %}"
    "{{ part['text'] }}{% endif %}{% endfor %}" + CHAT_END + "{% endfor %}" + CHAT_START
    + "assistant: "
)  # fmt: skip
WILD = 0.4
"""Standard deviation of weights at which every token depends on what came before it."""


def tokenizer(extra: Sequence[str] = (), vocab_size: int = 320) -> Any:
    """Byte-level BPE that begins a text with its mark, as Llama 3 does."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=["<pad>", "<s>", "</s>", *extra],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(SENTENCES, trainer)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )


def sentencepiece_like() -> Any:
    """One token a character, spaces as marks and a byte where there is no character: as Llama 2."""
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256))]
    pieces += ["▁", *"abcdefghijklmnopqrstuvwxyz(),_", "▁put", "▁cube"]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    made = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True))
    made.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    made.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )


def _small(vocabulary: int) -> dict[str, Any]:
    return {
        "vocab_size": vocabulary, "hidden_size": 32, "intermediate_size": 48,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "max_position_embeddings": 512, "initializer_range": WILD,
        "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
    }  # fmt: skip


def _llama_config(vocabulary: int, **more: Any) -> Any:
    from transformers import LlamaConfig

    return LlamaConfig(**_small(vocabulary) | more)


def causal(
    folder: Path, *, words: Any = None, chat: bool = False, seed: int = 0, **config: Any
) -> Path:
    """A Llama; its output layer is wider than its vocabulary, as in many a real one."""
    import torch
    from transformers import LlamaForCausalLM

    words = words or tokenizer([CHAT_START, CHAT_END] if chat else [])
    if chat:
        words.chat_template = CHAT
    torch.manual_seed(seed)
    LlamaForCausalLM(_llama_config(len(words) + 5, **config)).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def sliding(folder: Path) -> Path:
    """A Mistral that forgets what lies more than six tokens back."""
    import torch
    from transformers import MistralConfig, MistralForCausalLM

    words = tokenizer()
    torch.manual_seed(0)
    config = MistralConfig(sliding_window=6, **_small(len(words)))
    MistralForCausalLM(config).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def recurrent(folder: Path) -> Path:
    """A Mamba, whose memory is no list of keys and values."""
    import torch
    from transformers import MambaConfig, MambaForCausalLM

    words = tokenizer()
    torch.manual_seed(0)
    config = MambaConfig(
        vocab_size=len(words), hidden_size=32, state_size=8, num_hidden_layers=2,
        initializer_range=WILD, bos_token_id=1, eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    MambaForCausalLM(config).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def encoder_decoder(folder: Path) -> Path:
    """A T5, whose positions are relative and whose encoder ends what it reads with its mark."""
    import torch
    from tokenizers import processors
    from transformers import T5Config, T5ForConditionalGeneration

    words = tokenizer()
    words.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 2)]
    )
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=len(words), d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4,
        decoder_start_token_id=0, pad_token_id=0, eos_token_id=2, initializer_factor=1.0,
        dropout_rate=0.0,
    )  # fmt: skip
    T5ForConditionalGeneration(config).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def sees_images(folder: Path, *, chat: bool = False) -> Path:
    """A Llava: a CLIP tower of 32 px before a Llama."""
    import torch
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    words = tokenizer([IMAGE, *([CHAT_START, CHAT_END] if chat else [])])
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessor(
            size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
        ),
        tokenizer=words, patch_size=8, vision_feature_select_strategy="default",
        num_additional_image_tokens=1, chat_template=PICTURE_CHAT if chat else None,
    )  # fmt: skip
    vision = CLIPVisionConfig(
        hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        image_size=32, patch_size=8, initializer_range=WILD,
    )  # fmt: skip
    config = LlavaConfig(
        vision_config=vision, text_config=_llama_config(len(words)),
        image_token_id=words.convert_tokens_to_ids(IMAGE), initializer_range=WILD,
    )  # fmt: skip
    torch.manual_seed(0)
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def sees_in_3d(folder: Path) -> Path:
    """A Qwen2-VL: pictures of any size, positions of three dimensions among them."""
    import torch
    from transformers import (
        Qwen2VLConfig,
        Qwen2VLForConditionalGeneration,
        Qwen2VLImageProcessor,
        Qwen2VLProcessor,
        Qwen2VLVideoProcessor,
    )

    marks = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
    words = tokenizer(marks)
    processor = Qwen2VLProcessor(
        image_processor=Qwen2VLImageProcessor(min_pixels=28 * 28, max_pixels=112 * 112),
        video_processor=Qwen2VLVideoProcessor(),
        tokenizer=words,
        chat_template=PICTURE_CHAT.replace(CHAT_START, "")
        .replace(CHAT_END, "")
        .replace(IMAGE, marks[0] + marks[2] + marks[1]),
    )
    start, end, image, video = words.convert_tokens_to_ids(marks)
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10_000.0}
    text = _small(len(words)) | {"rope_parameters": rope}
    vision = {
        "depth": 2, "embed_dim": 32, "hidden_size": 32, "num_heads": 4, "patch_size": 14,
        "mlp_ratio": 2,
    }  # fmt: skip
    config = Qwen2VLConfig(
        text_config=text, vision_config=vision, vision_start_token_id=start,
        vision_end_token_id=end, image_token_id=image, video_token_id=video,
    )  # fmt: skip
    torch.manual_seed(0)
    Qwen2VLForConditionalGeneration(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder

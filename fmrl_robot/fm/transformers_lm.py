"""Any causal or encoder-decoder language model of Hugging Face transformers, by folder or hub id.

The embedded planner goes through this same path. Two entries of a model's config.json matter to
it, both optional: ``frozen_encoder`` names an installed package whose encoder the folder leaves
out, ``prompt_in_decoder`` says that the decoder reads the prompt as well.
"""

from __future__ import annotations

import hashlib
import importlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fmrl_robot.errors import ConfigError, ErrorCode, Retryable, Terminal
from fmrl_robot.fm.grammar import GrammarConstraint
from fmrl_robot.fm.network import apply_network_switch, check_reachable, network_is_forbidden
from fmrl_robot.fm.usage import TextCache, prompt_sha256
from fmrl_robot.types import FloatArray, Usage

MAX_THREADS = 2
"""Planning must leave the cores to control."""


class TransformersLM:
    """Generates and Scores."""

    def __init__(
        self, model: Any, tokenizer: Any, *, model_id: str, encoder_tokenizer: Any = None
    ) -> None:
        self.model_id = model_id
        self._model = model.eval()
        self._tokenizer = tokenizer
        self._encoder_tokenizer = encoder_tokenizer or tokenizer
        self._seq2seq = bool(getattr(model.config, "is_encoder_decoder", False))
        self._prompt_in_decoder = bool(getattr(model.config, "prompt_in_decoder", False))
        self._constraint: GrammarConstraint | None = None
        self._cache = TextCache()

    @property
    def embedded(self) -> bool:
        """Whether this is a model trained on this project's own short prompts."""
        return self._prompt_in_decoder

    def generate(
        self,
        prompt: str,
        *,
        grammar: str | None = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        role: str = "plan",
    ) -> tuple[str, Usage]:
        """Complete ``prompt``; see Generates.

        Raises:
            Retryable: the answer was cut off at ``max_tokens``.
            Terminal: prompt and answer exceed what the model can read.
        """
        import torch
        from transformers import LogitsProcessorList

        key = (prompt, grammar, max_tokens, temperature, seed if temperature else 0)
        found = self._cache.get(key)
        if found is not None:
            return found
        start = time.monotonic()
        inputs, prefix = self._inputs(prompt)
        self._check_length(inputs, prefix, max_tokens)
        processors = LogitsProcessorList()
        if grammar is not None:
            processors.append(self._grammar().processor(grammar))
        sampling: dict[str, Any] = {"do_sample": False}
        if temperature > 0:
            torch.manual_seed(seed)
            sampling = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
        with torch.inference_mode():
            output = self._model.generate(
                **inputs,
                **sampling,
                max_new_tokens=max_tokens,
                logits_processor=processors,
                pad_token_id=self._tokenizer.pad_token_id or self._tokenizer.eos_token_id,
                eos_token_id=self._tokenizer.eos_token_id,
                num_beams=1,
            )[0]
        tokens = output[prefix:]
        text = self._tokenizer.decode(tokens, skip_special_tokens=True)
        usage = Usage(
            role=role,
            model=self.model_id,
            prompt_sha256=prompt_sha256(prompt),
            prompt_tokens=int(inputs["input_ids"].shape[1]),
            completion_tokens=len(tokens),
            latency_s=time.monotonic() - start,
        )
        if len(tokens) >= max_tokens and int(tokens[-1]) != self._tokenizer.eos_token_id:
            raise Retryable(f"the answer did not end within {max_tokens} tokens: {text[:80]!r}")
        self._cache.put(key, text, usage)
        return text, usage

    def score(self, prompt: str, continuations: Sequence[str]) -> tuple[FloatArray, Usage]:
        """Summed log-probabilities of continuations; see Scores."""
        import torch

        start = time.monotonic()
        inputs, prefix = self._inputs(prompt)
        scores = np.zeros(len(continuations))
        count = 0
        for i, continuation in enumerate(continuations):
            ids = self._tokenizer.encode(continuation, add_special_tokens=False)
            count += len(ids)
            tail = torch.tensor([ids])
            fed = dict(inputs)
            name = "decoder_input_ids" if self._seq2seq else "input_ids"
            fed[name] = torch.cat([inputs[name], tail], dim=1)
            if not self._seq2seq:
                fed["attention_mask"] = torch.ones_like(fed[name])
            with torch.inference_mode():
                logits = self._model(**fed).logits[0, prefix - 1 : -1].float()
            chosen = torch.log_softmax(logits, dim=-1).gather(1, tail[0][:, None])
            scores[i] = float(chosen.sum())
        usage = Usage(
            role="score",
            model=self.model_id,
            prompt_sha256=prompt_sha256(prompt),
            prompt_tokens=int(inputs["input_ids"].shape[1]),
            completion_tokens=count,
            latency_s=time.monotonic() - start,
        )
        return scores, usage

    def _inputs(self, prompt: str) -> tuple[dict[str, Any], int]:
        """Return the model's inputs and how many tokens of the output side they already fill."""
        import torch

        if getattr(self._tokenizer, "chat_template", None):
            ids = self._tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}],
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
            )["input_ids"]
        else:
            ids = self._encoder_tokenizer(prompt, return_tensors="pt").input_ids
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if not self._seq2seq:
            return inputs, int(ids.shape[1])
        head = [self._model.config.decoder_start_token_id]
        if self._prompt_in_decoder:
            head += self._tokenizer.encode(prompt, add_special_tokens=False)
        inputs["decoder_input_ids"] = torch.tensor([head])
        return inputs, len(head)

    def _check_length(self, inputs: dict[str, Any], prefix: int, max_tokens: int) -> None:
        config = self._model.config
        sides = [(config, prefix + max_tokens)]
        if self._seq2seq:
            sides = [
                (getattr(config, "encoder", config), int(inputs["input_ids"].shape[1])),
                (getattr(config, "decoder", config), prefix + max_tokens),
            ]
        for side, wanted in sides:
            limit = getattr(side, "max_position_embeddings", None)
            if limit is not None and wanted > limit:
                raise Terminal(
                    f"expected at most {limit} tokens with the answer, got {wanted}; shorten the "
                    "instruction or choose a model with a longer context",
                    ErrorCode.INSTRUCTION_TOO_LONG,
                )

    def _grammar(self) -> GrammarConstraint:
        if self._constraint is None:
            # The output layer may be padded beyond the tokenizer's own words.
            size = int(self._model.get_output_embeddings().weight.shape[0])
            self._constraint = GrammarConstraint(self._tokenizer, size)
        return self._constraint


def load_language_model(name: str) -> TransformersLM:
    """Load a model from a folder or the Hugging Face hub.

    Raises:
        ConfigError: transformers is not installed, there is no such model, or downloads are
            forbidden.
    """
    if not name:
        raise ConfigError(
            "expected transformers:<folder or hub id>, got no name", ErrorCode.MODEL_UNAVAILABLE
        )
    check_reachable(name)
    apply_network_switch()
    try:
        import torch
        from transformers import (
            AutoConfig,
            AutoModelForCausalLM,
            AutoModelForSeq2SeqLM,
            AutoTokenizer,
        )
        from transformers.utils import logging as transformers_logging
    except ImportError as error:
        raise ConfigError(
            "expected transformers and torch for language models, found none; "
            "pip install 'fmrl_robot[fm]'",
            ErrorCode.CAPABILITY_MISSING,
        ) from error
    # Loading bars and reports on weights that a model leaves out belong in no robot's log.
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    torch.set_num_threads(min(MAX_THREADS, torch.get_num_threads()))
    local = network_is_forbidden() or Path(name).is_dir()
    try:
        config = AutoConfig.from_pretrained(name, local_files_only=local)
        kind = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=local)
        package = getattr(config, "frozen_encoder", None)
        if package is None:
            model = kind.from_pretrained(name, dtype=torch.float32, local_files_only=local)
            return TransformersLM(model, tokenizer, model_id=f"transformers:{name}")
        model, encoder_tokenizer = _with_frozen_encoder(Path(name), config, kind, package)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(
            f"expected a language model behind {name!r}, could not load it: {error}",
            ErrorCode.MODEL_UNAVAILABLE,
        ) from error
    digest = hashlib.sha256((Path(name) / "model.safetensors").read_bytes()).hexdigest()[:12]
    return TransformersLM(
        model,
        tokenizer,
        model_id=f"{Path(name).name}@{digest}",
        encoder_tokenizer=encoder_tokenizer,
    )


def _with_frozen_encoder(folder: Path, config: Any, kind: Any, package: str) -> tuple[Any, Any]:
    """Build the model from its own weights and the encoder that an installed package holds."""
    from safetensors.torch import load_file
    from transformers import AutoModel, AutoTokenizer

    try:
        path = importlib.import_module(package).get_model_path()
    except ImportError as error:
        raise ConfigError(
            f"expected the package {package} with the frozen encoder of {folder.name}, found "
            "none; pip install 'fmrl_robot[fm]'",
            ErrorCode.ASSET_MISSING,
        ) from error
    model = kind.from_config(config)
    encoder = AutoModel.from_pretrained(path, add_pooling_layer=False, local_files_only=True)
    model.encoder.load_state_dict(encoder.state_dict(), strict=False)
    state = {k: v.float() for k, v in load_file(folder / "model.safetensors").items()}
    _, unexpected = model.load_state_dict(state, strict=False)
    if unexpected:
        raise ValueError(f"weights that the config does not know: {unexpected[:3]}")
    model.tie_weights()
    return model, AutoTokenizer.from_pretrained(path, local_files_only=True)

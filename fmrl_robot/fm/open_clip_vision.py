"""Image and text towers of any open_clip model: built-in name, Hugging Face hub id or folder.

The embedded model in policies/ is read through this same path (``local-dir:`` of open_clip), so
that replacing it by a large pretrained CLIP is a change of name, never of code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.files import read_card
from fmrl_robot.fm.capabilities import not_installed
from fmrl_robot.fm.device import choose_device, choose_dtype
from fmrl_robot.fm.image_batch import ImageBatch
from fmrl_robot.fm.vector_cache import VectorCache
from fmrl_robot.fm.weights import named_with_weights
from fmrl_robot.settings import build
from fmrl_robot.types import FloatBatch, Image

_TINY = 1e-12
_CONJUNCTION = " and "
VOCABULARY = "vocabulary.json"
"""File beside the weights of a model that knows only the sentences it was taught."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """What a small model was taught, as the file beside its weights says."""

    sentences: frozenset[str]
    calibration: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Of sentences that were measured: middle and half width of the logits that leave doubt."""


class OpenClipVision:
    """A CLIP model that embeds texts, images and clips as unit vectors in one space."""

    def __init__(
        self,
        model: Any,
        preprocess: Any,
        tokenizer: Any,
        *,
        model_id: str,
        vocabulary: Vocabulary | None = None,
        compiled: bool = False,
    ) -> None:
        """Take a model that lies where it shall compute, in the precision it shall compute in."""
        self.model_id = model_id
        """Name and, for a folder, the digest of its weights."""
        self.vocabulary = None if vocabulary is None else vocabulary.sentences
        """The sentences that a small model was taught and beyond which it knows nothing; None for a
        model of open vocabulary."""
        self.calibration: dict[str, tuple[float, float]] = (
            {} if vocabulary is None else vocabulary.calibration
        )
        """Of sentences that were measured: middle and half width of the logits that leave doubt."""
        self._model = model.eval().requires_grad_(False)
        self._tokenizer = tokenizer
        weights = next(model.parameters())
        self._device, self._dtype = weights.device, weights.dtype
        size = model.visual.image_size
        self._batch = ImageBatch(preprocess, size if isinstance(size, tuple) else (size, size))
        self._encode_image = model.encode_image
        if compiled:
            import torch

            self._encode_image = torch.compile(model.encode_image)
        self._texts = VectorCache(self._encode_texts)

    @property
    def scale_and_bias(self) -> tuple[float, float]:
        """Slope and offset that turn a cosine into the model's own logit."""
        bias = self._model.logit_bias
        return float(self._model.logit_scale.exp()), 0.0 if bias is None else float(bias)

    def knows(self, text: str) -> bool:
        """Whether a sentence, or every part of one joined by "and", is within the vocabulary."""
        if self.vocabulary is None:
            return True
        return all(part in self.vocabulary for part in text.split(_CONJUNCTION))

    @property
    def parameters(self) -> int:
        """How many numbers the model learnt."""
        return sum(p.numel() for p in self._model.parameters())

    @property
    def texts_encoded(self) -> int:
        """How many texts went through the text tower, to tell cached answers from computed ones."""
        return self._texts.encoded

    def embed_texts(self, texts: Sequence[str]) -> FloatBatch:
        """Return unit vectors, shape (texts, dim); each distinct text is encoded once."""
        return self._texts.embed(texts)

    def embed_images(self, images: Sequence[Image]) -> FloatBatch:
        """Return unit vectors, shape (images, dim).

        Frames that have the tower's own size already are the fastest.

        Args:
            images: RGB uint8, shape (height, width, 3) each.

        Raises:
            ConfigError: an image has another type or shape.
        """
        import torch

        if not images:
            return np.zeros((0, 0), np.float32)
        with torch.inference_mode():
            batch = self._batch(images, self._device).to(self._dtype)
            return self._encode_image(batch, normalize=True).float().cpu().numpy()

    def embed_clips(self, clips: Sequence[Sequence[Image]]) -> FloatBatch:
        """Return unit vectors, shape (clips, dim): the direction of the mean of a clip's frames.

        The order of frames does not count: a model of single images knows no motion. All frames go
        through the image tower in one batch.

        Args:
            clips: frames in order of time, RGB uint8, shape (height, width, 3) each.

        Raises:
            ConfigError: a frame has another type or shape.
            ValueError: a clip has no frames.
        """
        if not clips:
            return np.zeros((0, 0), np.float32)
        lengths = [len(clip) for clip in clips]
        if not all(lengths):
            raise ValueError(f"expected at least one frame in each clip, got {lengths} frames")
        frames = self.embed_images([frame for clip in clips for frame in clip])
        starts = np.cumsum([0, *lengths[:-1]])
        means = np.add.reduceat(frames, starts, axis=0) / np.array(lengths, np.float32)[:, None]
        return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), _TINY)

    def _encode_texts(self, texts: list[str]) -> FloatBatch:
        import torch

        with torch.inference_mode():
            tokens = self._tokenizer(texts).to(self._device)
            return self._model.encode_text(tokens, normalize=True).float().cpu().numpy()


def load_vision_model(
    name: str, device: str | None = None, *, dtype: str | None = None, compiled: bool = False
) -> OpenClipVision:
    """Load an open_clip model with its weights.

    Args:
        name: a folder with ``open_clip_config.json`` and weights; ``hf-hub:<org>/<repo>``; or a
            built-in architecture with its weights, ``ViT-B-32@laion2b_s34b_b79k`` (a file of
            weights may stand behind the @ instead of a tag).
        device: where torch computes; None: ``FMRL_DEVICE``, else the processor.
        dtype: None: float32 on a processor, bfloat16 on a GPU.
        compiled: compile the image tower; each new number of images then costs time once.

    Raises:
        ConfigError: open_clip is not installed, or there is no such model, weights or device.
    """
    try:
        import open_clip
    except ImportError as error:
        raise not_installed("open_clip for vision models") from error
    source, tag, model_id = _resolve(name)
    where = choose_device(device)
    try:
        model, _, preprocess = open_clip.create_model_and_transforms(
            source, pretrained=tag, device=where
        )
        tokenizer = open_clip.get_tokenizer(source)
    except (RuntimeError, ValueError, OSError) as error:
        raise ConfigError(
            f"expected an open_clip model behind {name!r}, could not load it: {error}; give the "
            "folder, the hub id or the name of one",
            ErrorCode.ASSET_MISSING,
        ) from error
    return OpenClipVision(
        model.to(choose_dtype(dtype, where)),
        preprocess,
        tokenizer,
        model_id=model_id,
        vocabulary=_vocabulary(Path(name)),
        compiled=compiled,
    )


def _vocabulary(folder: Path) -> Vocabulary | None:
    file = folder / VOCABULARY
    return build(Vocabulary, read_card(file), str(file)) if file.is_file() else None


def _resolve(name: str) -> tuple[str, str | None, str]:
    """Return open_clip's model name, its ``pretrained`` argument and our model id."""
    folder = Path(name)
    if folder.is_dir():
        if not (folder / "open_clip_config.json").is_file():
            raise ConfigError(
                f"expected open_clip_config.json in {folder}, found none; train or copy the model",
                ErrorCode.ASSET_MISSING,
            )
        return f"local-dir:{folder}", None, named_with_weights(name)
    if name.startswith("hf-hub:"):
        return name, None, name
    architecture, _, tag = name.partition("@")
    if not tag:
        raise ConfigError(
            f"expected a folder, hf-hub:<org>/<repo> or <architecture>@<weights>, got {name!r}; "
            "an architecture without weights would score at random",
            ErrorCode.ASSET_MISSING,
        )
    return architecture, tag, name

"""Image and text towers of any open_clip model: built-in name, Hugging Face hub id or folder.

The embedded model in policies/ is read through this same path (``local-dir:`` of open_clip), so
that replacing it by a large pretrained CLIP is a change of name, never of code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fmrl_robot.errors import ConfigError, ErrorCode

Image = npt.NDArray[np.uint8]
FloatBatch = npt.NDArray[np.float32]

_TEXT_CACHE = 4096
VOCABULARY = "vocabulary.json"
"""File beside the weights of a model that knows only the sentences it was taught."""


class OpenClipVision:
    """A CLIP model that embeds texts and images as unit vectors in one space."""

    def __init__(
        self,
        model: Any,
        preprocess: Any,
        tokenizer: Any,
        *,
        model_id: str,
        device: str = "cpu",
        vocabulary: Mapping[str, Any] | None = None,
    ) -> None:
        self.model_id = model_id
        """Name and, for a folder, the digest of its weights."""
        taught = vocabulary or {}
        self.vocabulary = None if vocabulary is None else frozenset[str](taught["sentences"])
        """The sentences that a small model was taught and beyond which it knows nothing; None for a
        model of open vocabulary."""
        self.calibration: dict[str, tuple[float, float]] = dict(taught.get("calibration", {}))
        """Of sentences that were measured: middle and half width of the logits that leave doubt."""
        self._model = model.eval().to(device)
        self._preprocess = preprocess
        self._tokenizer = tokenizer
        self._device = device
        self._texts: dict[str, FloatBatch] = {}
        self.texts_encoded = 0
        """How many texts went through the text tower, to tell cached answers from computed ones."""

    @property
    def scale_and_bias(self) -> tuple[float, float]:
        """Slope and offset that turn a cosine into the model's own logit."""
        bias = self._model.logit_bias
        return float(self._model.logit_scale.exp()), 0.0 if bias is None else float(bias)

    @property
    def parameters(self) -> int:
        """How many numbers the model learnt."""
        return sum(p.numel() for p in self._model.parameters())

    def embed_texts(self, texts: Sequence[str]) -> FloatBatch:
        """Return unit vectors, shape (texts, dim); each distinct text is encoded once."""
        import torch

        missing = [t for t in dict.fromkeys(texts) if t not in self._texts]
        if len(self._texts) + len(missing) > _TEXT_CACHE:
            self._texts.clear()
            missing = list(dict.fromkeys(texts))
        if missing:
            with torch.inference_mode():
                tokens = self._tokenizer(missing).to(self._device)
                encoded = self._model.encode_text(tokens, normalize=True)
            self._texts.update(zip(missing, encoded.float().cpu().numpy(), strict=True))
            self.texts_encoded += len(missing)
        if not texts:
            return np.zeros((0, 0), np.float32)
        return np.stack([self._texts[t] for t in texts])

    def embed_images(self, images: Sequence[Image]) -> FloatBatch:
        """Return unit vectors, shape (images, dim).

        Args:
            images: RGB uint8, shape (height, width, 3) each.

        Raises:
            ValueError: an image has another type or shape.
        """
        import torch
        from PIL import Image as PILImage

        if not images:
            return np.zeros((0, 0), np.float32)
        for image in images:
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
                raise ValueError(
                    "expected RGB images of uint8 and shape (height, width, 3), got "
                    f"{image.dtype} {image.shape!r}; convert before embedding"
                )
        batch = torch.stack([self._preprocess(PILImage.fromarray(image)) for image in images])
        with torch.inference_mode():
            encoded = self._model.encode_image(batch.to(self._device), normalize=True)
        return encoded.float().cpu().numpy()


def load_vision_model(name: str, device: str = "cpu") -> OpenClipVision:
    """Load an open_clip model with its weights.

    Args:
        name: a folder with ``open_clip_config.json`` and weights; ``hf-hub:<org>/<repo>``; or a
            built-in architecture with its weights, ``ViT-B-32@laion2b_s34b_b79k`` (a file of
            weights may stand behind the @ instead of a tag).
        device: where torch computes.

    Raises:
        ConfigError: open_clip is not installed, or there is no such model or weights.
    """
    try:
        import open_clip
    except ImportError as error:
        raise ConfigError(
            "expected open_clip for vision models, found none; pip install 'fmrl_robot[fm]'",
            ErrorCode.CAPABILITY_MISSING,
        ) from error
    source, tag, model_id = _resolve(name)
    try:
        model, _, preprocess = open_clip.create_model_and_transforms(
            source, pretrained=tag, device=device
        )
        tokenizer = open_clip.get_tokenizer(source)
    except (RuntimeError, ValueError, OSError) as error:
        raise ConfigError(
            f"expected an open_clip model behind {name!r}, could not load it: {error}",
            ErrorCode.ASSET_MISSING,
        ) from error
    return OpenClipVision(
        model,
        preprocess,
        tokenizer,
        model_id=model_id,
        device=device,
        vocabulary=_vocabulary(Path(name)),
    )


def _vocabulary(folder: Path) -> dict[str, Any] | None:
    file = folder / VOCABULARY
    return json.loads(file.read_text()) if file.is_file() else None


def _resolve(name: str) -> tuple[str, str | None, str]:
    """Return open_clip's model name, its ``pretrained`` argument and our model id."""
    folder = Path(name)
    if folder.is_dir():
        if not (folder / "open_clip_config.json").is_file():
            raise ConfigError(
                f"expected open_clip_config.json in {folder}, found none; train or copy the model",
                ErrorCode.ASSET_MISSING,
            )
        return f"local-dir:{folder}", None, f"{folder.name}@{weights_digest(folder)}"
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


def weights_digest(folder: Path) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 over the folder's weights.

    Raises:
        ConfigError: the folder holds no safetensors.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ConfigError(
            f"expected weights (*.safetensors) in {folder}, found none", ErrorCode.ASSET_MISSING
        )
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def read_config(folder: Path) -> dict[str, Any]:
    """Return the folder's open_clip configuration."""
    return json.loads((folder / "open_clip_config.json").read_text())

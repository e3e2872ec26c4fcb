"""Camera frames to the batch that an image tower reads.

open_clip's pipeline takes one image at a time through PIL and torch. Here only what has to be
resized goes through PIL, by the pipeline's own steps; bytes become floats for all frames at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fmrl_robot.errors import ConfigError
from fmrl_robot.types import Image

if TYPE_CHECKING:
    import torch


_SIZING = ("Resize", "ResizeKeepRatio", "CenterCrop", "CenterCropOrPad")
_IDLE = ("MaybeConvertMode", "_convert_to_rgb", "ToTensor", "MaybeToTensor")
"""Steps that an RGB frame does not need, or that are done for the whole batch."""


def check_images(images: Sequence[Image]) -> None:
    """Refuse what is no RGB image.

    Raises:
        ConfigError: an image has another type or shape than uint8 (height, width, 3).
    """
    for image in images:
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ConfigError(
                "expected RGB images of uint8 and shape (height, width, 3), got "
                f"{image.dtype} {image.shape!r}; convert before asking"
            )


class ImageBatch:
    """Preprocesses images as one evaluation pipeline of open_clip does."""

    def __init__(self, preprocess: Any, size: tuple[int, int]) -> None:
        """Read the pipeline.

        Args:
            preprocess: open_clip's transform.
            size: height and width in pixels of what it puts out.
        """
        import torch

        self._each = preprocess
        self._size = size
        steps = list(getattr(preprocess, "transforms", ()))
        names = [getattr(step, "__name__", type(step).__name__) for step in steps]
        self._sizing = [s for s, name in zip(steps, names, strict=True) if name in _SIZING]
        self._known = names[-1:] == ["Normalize"] and all(
            name in (*_SIZING, *_IDLE) for name in names[:-1]
        )
        """Whether every step is one of those above; else the pipeline does all by itself."""
        if self._known:
            mean, std = torch.tensor(steps[-1].mean), torch.tensor(steps[-1].std)
            # One number a byte of a frame: three, broadcast along the channels, are not vectorised.
            self._slope = (1 / (255 * std)).repeat(size[0] * size[1])
            self._offset = (-mean / std).repeat(size[0] * size[1])

    def __call__(self, images: Sequence[Image], device: torch.device) -> torch.Tensor:
        """Return float32 (images, 3, height, width) on a device.

        Args:
            images: RGB uint8, shape (height, width, 3) each; at least one.
            device: where to; bytes travel, floats are made there.

        Raises:
            ConfigError: an image has another type or shape.
        """
        import torch
        from PIL import Image as PILImage

        check_images(images)
        if not self._known:
            each = [self._each(PILImage.fromarray(image)) for image in images]
            return torch.stack(each).to(device)
        stacked = torch.from_numpy(np.stack([self._sized(image) for image in images])).to(device)
        if self._slope.device != stacked.device:
            self._slope, self._offset = self._slope.to(device), self._offset.to(device)
        flat = stacked.flatten(start_dim=1).float()
        torch.addcmul(self._offset, flat, self._slope, out=flat)
        # The frames' own order of bytes is torch's channels_last, in which convolutions run faster.
        return flat.view(stacked.shape).permute(0, 3, 1, 2)

    def _sized(self, image: Image) -> Image:
        if image.shape[:2] == self._size:
            return image
        from PIL import Image as PILImage

        picture: Any = PILImage.fromarray(image)
        for step in self._sizing:
            picture = step(picture)
        return np.asarray(picture)

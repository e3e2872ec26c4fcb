"""Vectors of texts kept, so that no sentence goes through an encoder twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from fmrl_robot.types import FloatBatch


class VectorCache:
    """Encodes the texts that it does not hold in one batch; drops the least recently used."""

    def __init__(self, encode: Callable[[list[str]], FloatBatch], size: int = 4096) -> None:
        """Hold nothing yet.

        Args:
            encode: of distinct texts, shape (texts, dim).
            size: how many vectors are kept.
        """
        self._encode, self._size = encode, size
        self._vectors: OrderedDict[str, npt.NDArray[np.float32]] = OrderedDict()
        self.encoded = 0
        """How many texts were encoded, to tell kept answers from computed ones."""

    def embed(self, texts: Sequence[str]) -> FloatBatch:
        """Return one vector a text, shape (texts, dim); (0, 0) for none."""
        if not texts:
            return np.zeros((0, 0), np.float32)
        missing = [t for t in dict.fromkeys(texts) if t not in self._vectors]
        if missing:
            self._vectors.update(zip(missing, self._encode(missing), strict=True))
            self.encoded += len(missing)
        answer = np.stack([self._vectors[t] for t in texts])
        for text in texts:
            self._vectors.move_to_end(text)
        while len(self._vectors) > self._size:
            self._vectors.popitem(last=False)
        return answer

"""What acts on one generation step by step: seeds, stop strings, log-probabilities."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fmrl_robot.fm.constraints import first_stop

if TYPE_CHECKING:
    import torch


@contextmanager
def seeded(seed: int, device: torch.device) -> Generator[None]:
    """Draw from ``seed`` inside of the block, and leave torch's own random numbers as they were."""
    import torch

    gpus = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        torch.default_generator.manual_seed(seed)
        if gpus:
            torch.cuda.manual_seed(seed)
        yield


class StopStrings:
    """Ends a row whose answer holds one of several strings; a stopping criterion."""

    def __init__(self, strings: Sequence[str], tokenizer: Any, prefix: int) -> None:
        """Look for ``strings`` behind the first ``prefix`` tokens of each row."""
        self._strings = tuple(strings)
        self._tokenizer = tokenizer
        self._prefix = prefix
        # A token holds at least one byte; a few more make up for a character cut at the left edge.
        self._window = max(len(s.encode()) for s in strings) + 4

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        """Return which rows have ended, bool (rows,)."""
        import torch

        tails = input_ids[:, max(self._prefix, input_ids.shape[1] - self._window) :]
        texts = self._tokenizer.batch_decode(
            tails, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return torch.tensor([self.found(t) is not None for t in texts], device=input_ids.device)

    def found(self, text: str) -> int | None:
        """Where the first of the strings begins, None where there is none."""
        return first_stop(text, self._strings)


class Recorder:
    """Notes the model's own log-probability of each chosen token; a logits processor.

    It changes nothing, and has to come first, before grammar, temperature and top_p.
    """

    def __init__(self) -> None:
        self._expected: torch.Tensor | None = None
        self._chosen: list[torch.Tensor] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Note the last token and what is expected next."""
        self._note(input_ids)
        self._expected = scores.float().log_softmax(dim=-1)
        return scores

    def finish(self, sequences: torch.Tensor) -> torch.Tensor:
        """Natural log-probabilities (rows, tokens) of all that was generated; call once."""
        import torch

        self._note(sequences)
        return torch.stack(self._chosen, dim=1)

    def _note(self, ids: torch.Tensor) -> None:
        if self._expected is not None:
            self._chosen.append(self._expected.gather(1, ids[:, -1:])[:, 0])

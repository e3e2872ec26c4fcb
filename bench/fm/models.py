"""The language models that are measured, and what they are asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tiny_models

from fmrl_robot.fm import load_language_model
from fmrl_robot.fm.transformers_lm.generation import Wanted
from fmrl_robot.fm.usage import AnswerCache

BATCHES = (1, 4, 16, 64)
ARM = "arm: put the red cube in the bowl, then open the drawer and press the button =>"
TOKENS = 32
"""Of an answer of the random model."""
LETTERS = f"root ::= [a-z]{{{TOKENS}}}"
PROMPTS = ("the robot holds the red cube; to tidy up it should first", "a", "then") * 2
TAILS = ("put it in the bowl", "open the drawer", "press the button", "stand still", "go") * 2


class Models:
    """The embedded planner and a random causal model of some size."""

    def __init__(self, folder: Path, device: str, vocabulary: int) -> None:
        self.device = device
        self.on_gpu = device.startswith("cuda")
        words = tiny_models.tokenizer(vocab_size=1024)
        causal = tiny_models.causal(
            folder / "causal", words=words, hidden_size=256, intermediate_size=1024,
            num_hidden_layers=4, num_attention_heads=8, num_key_value_heads=8,
            vocab_size=vocabulary, initializer_range=0.02,
        )  # fmt: skip
        self.causal = f"transformers:{causal}"
        """Name of the random causal model."""

    def load(self, name: str, **options: Any) -> Any:
        """A model that keeps no answers."""
        model = load_language_model(name, device=self.device, **options)
        model._answers = AnswerCache(0)
        return model

    def all(self) -> dict[str, Any]:
        """Both, the random one compiled besides on a GPU."""
        found = {"embedded": self.load("embedded"), "causal": self.load(self.causal)}
        if self.on_gpu:
            found["causal, compiled"] = self.load(self.causal, compiled=True)
        return found


def write(model: Any, prompt: str, grammar: str | None, **asked: Any) -> list[Any]:
    """Samples as our back end writes them, whether they ended or not."""
    return model._writer.write(model.read(prompt), Wanted(grammar=grammar, **asked))

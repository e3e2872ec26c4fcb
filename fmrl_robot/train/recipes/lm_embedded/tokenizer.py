"""The decoder's tokenizer: byte-level BPE for sentences, whole tokens for the atoms of plans."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

COLORS = ("red", "green", "blue", "yellow")
LEGS = ("FL", "FR", "RL", "RR")
CONDITIONS = (
    "all",
    "on_table",
    "in_bowl",
    "in_bin",
    "in_drawer",
    "stacked",
    "top",
    "off_table",
    *(f"{where}_{c}_cube" for where in ("on", "under", "with") for c in COLORS),
)


def plan_atoms() -> list[str]:
    """Strings of the plan language that no sentence contains, each one token."""
    return [
        *("put(", "hold(", "stack(", "held,", "press(button)"),
        *(f"{f}(drawer)" for f in ("open", "close", "ensure_open", "ensure_closed")),
        *(f"refuse({r})" for r in ("unknown", "impossible", "unsafe")),
        *(f"{sign}{c}_cube" for c in COLORS for sign in ("", "-")),
        *(
            f",{p})"
            for p in (
                *("bowl", "bin", "drawer", "table", "top", "empty"),
                *(f"{at}{c}_cube" for at in ("", "at_") for c in COLORS),
            )
        ),
        *(f"each({c}" for c in CONDITIONS),
        *(f"any({n},{c}" for n in (1, 2, 3) for c in CONDITIONS[:5]),
        *(
            f"{g}({v}"
            for g in ("trot", "pace", "bound", "stand")
            for v in ("-1", "-0.5", "0", "0.5", "1")
        ),
        *(f",{m}={leg}" for m in ("up", "fast") for leg in LEGS),
        *(",air", ",quick", ",calm", ",t="),
    ]


MARKS = ("<|user|>", "<|assistant|>")
"""Before a question and before its answer, for models with a chat template."""


def train_tokenizer(
    texts: Iterable[str], vocab_size: int, *, atoms: bool = True, marks: bool = False
) -> Any:
    """Learn BPE on ``texts`` and return a PreTrainedTokenizerFast.

    Args:
        texts: to learn from.
        vocab_size: before atoms.
        atoms: whether strings of the plan languages become tokens.
        marks: whether MARKS do.
    """
    from tokenizers import (
        AddedToken,
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        trainers,
    )
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Lowercase()  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.decoder = decoders.ByteLevel()  # pyright: ignore[reportAttributeAccessIssue]
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=["<pad>", "<s>", "</s>", *(MARKS if marks else ())],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    # Longest first, so that ",red_cube)" is never read as "," "red_cube" ")".
    if atoms:
        longest = sorted(plan_atoms(), key=len, reverse=True)
        tokenizer.add_tokens([AddedToken(a, normalized=False) for a in longest])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",  # noqa: S106
        bos_token="<s>",  # noqa: S106
        eos_token="</s>",  # noqa: S106
    )
